print(json.encode { share = 0 / 0 }) -- here
