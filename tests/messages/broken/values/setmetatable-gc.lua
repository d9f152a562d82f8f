setmetatable({}, { __gc = print }) -- here
