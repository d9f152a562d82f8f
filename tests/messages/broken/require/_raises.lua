local age = arg[1]
return { days = age * 30 } -- here
