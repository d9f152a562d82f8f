local rules = {}
rules.execute() -- here
