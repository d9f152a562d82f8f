fal.delete_all({}, { timeout = 30 }) -- here
