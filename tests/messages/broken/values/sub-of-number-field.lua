print(string.sub(nil, 1, 3)) -- here
