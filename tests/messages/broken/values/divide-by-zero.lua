print(7 // 0) -- here
