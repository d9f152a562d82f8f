print(json.encode { [1] = "a", [1000000] = "b" }) -- here
