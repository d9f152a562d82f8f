local age = "30d"
print(age * 24) -- here
