print(string.uper "a") -- here
