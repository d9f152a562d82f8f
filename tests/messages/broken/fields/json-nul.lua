print(json.nul) -- here
