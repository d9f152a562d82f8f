local age = None -- here
print(age)
