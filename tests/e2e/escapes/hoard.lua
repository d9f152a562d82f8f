--== strings
-- expect: exit 9, "256 MiB"
local t = {}
while true do t[#t + 1] = ("x"):rep(1 << 12):rep(1 << 12) .. #t end
--== one string
-- expect: exit 9, "256 MiB"
local s = "x"
while true do s = s .. s end
--== tables, caught
-- expect: exit 9, "policy"
local t = {}
while true do pcall(function() while true do t = { t, {}, {}, {} } end end) end
--== in a close handler
-- expect: exit 9, "256 MiB"
local _ <close> = setmetatable({}, { __close = function()
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1 << 12):rep(1 << 12) .. #t end end })
error "now"
--== in a coroutine
-- expect: exit 9, "256 MiB"
coroutine.wrap(function()
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1 << 12):rep(1 << 12) .. #t end end)()
--== in an error handler
-- expect: exit 9, "256 MiB"
xpcall(error, function()
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1 << 12):rep(1 << 12) .. #t end end)
--== table.concat of itself
-- expect: exit 9, "256 MiB"
local x = ("x"):rep(1 << 12):rep(1 << 8)
table.concat(setmetatable({}, { __len = function() return 1 << 40 end,
  __index = function() return x end }))
--== gsub that grows
-- expect: exit 9, "256 MiB"
local x = ("x"):rep(1 << 12):rep(1 << 8)
return (x:gsub("x", x))
--== tasks that start tasks
-- expect: exit 9, "policy"
local function go() fal.spawn(go) fal.spawn(go) end
go()
--== JSON of one table, many times
-- expect: exit 9, "policy"
local t, all = {}, {}
for i = 1, 1000 do t[i] = ("x"):rep(1000) end
while true do all[#all + 1] = json.encode(t) .. #all end
--== JSON that is larger than it may be
-- expect: exit 1, "64 MiB"
local x, t = ("x"):rep(1 << 12):rep(1 << 8), {}
for i = 1, 100 do t[i] = x end
return json.encode(t)
--== the errors of all deletions
-- expect: exit 9, "policy"
local t = {}
while true do t[#t + 1] = { pcall(fal.delete_payloads,
  ("x"):rep(1 << 20) .. #t), ("y"):rep(1 << 16) .. #t } end
--== buffers, caught
-- expect: exit 9, "256 MiB"
local t = {}
for _ = 1, 100 do pcall(function()
  t[#t + 1] = ("x"):rep(1 << 12):rep(1 << 13) end) end
--== string.pack that pads
-- expect: exit 9, "policy"
while true do pcall(string.pack, "c2147483647", "") end
