fal.delete_all({}, { dry_run = "yes" }) -- here
