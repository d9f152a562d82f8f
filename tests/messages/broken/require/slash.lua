local rules = require "lib/rules" -- here
print(rules)
