fal.each({}, print, { concurrency = 100000 }) -- here
