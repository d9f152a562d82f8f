local rules = require "_argument"
print(rules.expired())
