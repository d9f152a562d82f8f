local rules = require "_good.lua" -- here
print(rules)
