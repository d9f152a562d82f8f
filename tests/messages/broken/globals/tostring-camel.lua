print(toString(17)) -- here
