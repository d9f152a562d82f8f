local function rules() return { age = "30d" } end
print(rules.age) -- here
