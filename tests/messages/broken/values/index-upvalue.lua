local rules
local function age() return rules.age end -- here
print(age())
