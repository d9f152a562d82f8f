print(json.encode { "a", name = "b" }) -- here
