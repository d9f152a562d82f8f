local age = "30d"
print(age()) -- here
