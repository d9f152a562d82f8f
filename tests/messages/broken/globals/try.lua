local function risky() return 1 end
local ok = try(risky) -- here
print(ok)
