local rules = require "_function"
print(rules.old {})
