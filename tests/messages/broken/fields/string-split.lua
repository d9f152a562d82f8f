print(string.split("a,b", ",")) -- here
