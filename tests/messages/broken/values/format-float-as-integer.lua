print(("%d requests"):format(1.5)) -- here
