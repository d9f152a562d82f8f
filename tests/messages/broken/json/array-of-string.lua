print(json.array "a") -- here
