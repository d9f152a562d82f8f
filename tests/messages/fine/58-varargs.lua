local function count(...) return select("#", ...) end
assert(count(nil, nil) == 2)
