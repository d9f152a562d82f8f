print(("%y"):format(1)) -- here
