fal.requests() -- here
