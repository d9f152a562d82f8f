local rules = {}
local rules.age = "30d" -- here
