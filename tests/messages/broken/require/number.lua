local rules = require(17) -- here
print(rules)
