local age = require("_rules").age
assert(age == "30d")
