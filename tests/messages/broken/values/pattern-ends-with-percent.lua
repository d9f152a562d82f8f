print(("abc"):find "a%") -- here
