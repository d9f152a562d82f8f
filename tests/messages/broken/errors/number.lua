error(17) -- here
