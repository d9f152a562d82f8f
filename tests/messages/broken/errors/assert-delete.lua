local id = "019e6d0a-e5be-7b82-b329-35ae64296902"
assert(fal.delete_payloads(id, { dry_run = "no" })) -- here
