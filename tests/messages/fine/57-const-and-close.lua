local AGE <const> = "30d"
local guard <close> = setmetatable({}, { __close = function() end })
assert(AGE and guard)
