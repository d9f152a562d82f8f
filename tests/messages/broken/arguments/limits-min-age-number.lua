fal.limits { min_age = 7 } -- here
