local ok, err = pcall(fal.requests, { endpoint_id = "auto", older_than = 30 })
assert(not ok and err:find("a duration needs a unit", 1, true))
