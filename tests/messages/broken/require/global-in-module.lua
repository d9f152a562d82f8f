local rules = require "_global"
print(rules.days())
