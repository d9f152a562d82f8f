flal.sleep "1s" -- here
