Fal.sleep "1s" -- here
