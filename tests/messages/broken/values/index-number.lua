local age = 30
print(age.days) -- here
