print(str(17)) -- here
