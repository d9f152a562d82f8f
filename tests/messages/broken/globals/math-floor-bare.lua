print(floor(1.5)) -- here
