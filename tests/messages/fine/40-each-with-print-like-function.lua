local seen = {}
fal.each({ "a", "b" }, function(item) seen[item] = true end)
assert(seen.a and seen.b)
