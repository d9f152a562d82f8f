fal.limits { max = -1 } -- here
