print("dry: " .. true) -- here
