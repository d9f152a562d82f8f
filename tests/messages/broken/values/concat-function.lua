print("now: " .. os.time) -- here
