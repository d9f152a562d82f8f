fal.each("a,b", print) -- here
