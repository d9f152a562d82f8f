local rules = { age = "30d" }
print(rules.age)
