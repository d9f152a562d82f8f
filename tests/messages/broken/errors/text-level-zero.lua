error("no position", 0) -- here
