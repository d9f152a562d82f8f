local requests, ago = fal.requests, fal.ago
assert(requests == fal.requests and ago "30d" < ago "1d")
