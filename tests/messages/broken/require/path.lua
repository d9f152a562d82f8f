local rules = require "./rules" -- here
print(rules)
