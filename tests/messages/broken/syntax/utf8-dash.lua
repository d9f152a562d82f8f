local age = 30 – 7 -- here
print(age)
