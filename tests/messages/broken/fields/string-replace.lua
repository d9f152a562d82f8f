print(("a-b"):replace("-", "_")) -- here
