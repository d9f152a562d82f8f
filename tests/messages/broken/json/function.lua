print(json.encode { check = print }) -- here
