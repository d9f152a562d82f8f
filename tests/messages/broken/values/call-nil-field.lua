local rules = {}
rules.check() -- here
