local age = arg[1]
age == "30d" -- here
