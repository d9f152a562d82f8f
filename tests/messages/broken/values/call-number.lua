local age = 30
print(age(1)) -- here
