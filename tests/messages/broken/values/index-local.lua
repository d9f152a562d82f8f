local rules
print(rules.age) -- here
