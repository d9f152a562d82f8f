local age = nill -- here
print(age)
