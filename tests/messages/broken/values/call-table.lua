local rules = { age = "30d" }
print(rules()) -- here
