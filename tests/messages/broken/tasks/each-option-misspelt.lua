fal.each({}, print, { concurency = 32 }) -- here
