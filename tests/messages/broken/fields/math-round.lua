print(math.round(1.5)) -- here
