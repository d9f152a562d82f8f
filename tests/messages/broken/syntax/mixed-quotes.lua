fal.sleep "1s' -- here
fal.sleep "2s"
