fal.limits { maxx = 100 } -- here
