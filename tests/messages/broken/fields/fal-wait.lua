fal.wait "1s" -- here
