fal.each({}, print, 32) -- here
