fal = {} -- here
