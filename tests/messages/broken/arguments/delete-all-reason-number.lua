fal.delete_all({}, { reason = 30 }) -- here
