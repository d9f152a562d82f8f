local request = nil
assert(not (request and request.id))
