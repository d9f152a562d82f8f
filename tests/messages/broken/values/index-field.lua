local rules = {}
print(rules.flux.age) -- here
