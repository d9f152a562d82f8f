local count = 10
count -= 1 -- here
