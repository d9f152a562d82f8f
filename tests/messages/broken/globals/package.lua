package.path = "lib/?.lua" -- here
