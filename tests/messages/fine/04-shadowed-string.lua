local function first(string, table) return string or table end
assert(first(nil, "b") == "b")
