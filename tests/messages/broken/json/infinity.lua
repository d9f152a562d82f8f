print(json.encode { share = 1 / 0 }) -- here
