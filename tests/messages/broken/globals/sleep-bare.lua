sleep "1s" -- here
