local ok = pcall(function() return prnt end)
assert(not ok)
