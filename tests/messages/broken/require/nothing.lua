local rules = require() -- here
print(rules)
