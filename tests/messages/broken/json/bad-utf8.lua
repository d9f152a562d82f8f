print(json.encode { name = "\xff" }) -- here
