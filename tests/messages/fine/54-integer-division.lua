local half = #arg // 2 -- thirty // two
assert(half == 0)
