local task = fal.spawn(function(a, b) return a + b end, 1, 2)
local ok, sum = task:wait()
assert(ok and sum == 3)
