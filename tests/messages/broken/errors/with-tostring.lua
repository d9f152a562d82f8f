error(setmetatable({}, { __tostring = function() return "stale" end })) -- here
