print(json.encode { [{}] = 1 }) -- here
