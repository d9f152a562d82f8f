local age = null -- here
print(age)
