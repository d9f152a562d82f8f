fal.limits(100) -- here
