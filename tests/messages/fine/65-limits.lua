fal.limits { max = 100, min_age = "7d" }
