print(format("%d", 7)) -- here
