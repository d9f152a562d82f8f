error(false) -- here
