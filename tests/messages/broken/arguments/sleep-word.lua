fal.sleep "a minute" -- here
