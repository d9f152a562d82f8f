local id = "019e6d0a-e5be-4b82-b329-35ae64296900"
local result = assert(fal.delete_payloads(id, { reason = "asked for" }))
assert(result.status == "planned")
