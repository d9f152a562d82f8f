local rules = require "_rules"
assert(rules.age == "30d")
