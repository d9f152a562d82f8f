local age = undefined -- here
print(age)
