local rules = { ages = {} }
function rules:add(age) self.ages[#self.ages + 1] = age end
rules:add "30d"
assert(#rules.ages == 1)
