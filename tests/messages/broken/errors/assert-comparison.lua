local requests = {}
assert(#requests > 0) -- here
