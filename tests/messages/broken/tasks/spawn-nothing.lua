fal.spawn() -- here
