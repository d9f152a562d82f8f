fal.limits { max = "100" } -- here
