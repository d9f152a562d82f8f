print(unpack { 1, 2 }) -- here
