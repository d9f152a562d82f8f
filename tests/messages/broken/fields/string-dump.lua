print(string.dump(print)) -- here
