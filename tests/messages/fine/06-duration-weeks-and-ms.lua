fal.sleep "1ms"
assert(fal.ago "2w" < fal.ago "13d")
