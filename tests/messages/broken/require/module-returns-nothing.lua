local rules = require "_nothing"
print(rules.age) -- here
