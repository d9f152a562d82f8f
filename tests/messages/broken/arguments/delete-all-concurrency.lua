fal.delete_all({}, { concurrency = 0 }) -- here
