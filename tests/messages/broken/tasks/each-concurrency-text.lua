fal.each({}, print, { concurrency = "many" }) -- here
