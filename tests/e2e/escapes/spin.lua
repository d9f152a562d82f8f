--== a loop
-- expect: exit 9, "without waiting"
while true do end
--== a loop that catches
-- expect: exit 9, "without waiting"
while true do pcall(function() while true do end end) end
--== a handler that spins
-- expect: exit 9, "without waiting"
while true do
  xpcall(function() while true do end end, function() while true do end end)
end
--== a close handler that spins
-- expect: exit 9, "without waiting"
local _ <close> = setmetatable({}, { __close = function()
  while true do end end })
while true do end
--== a hundred close handlers that spin and catch
-- expect: exit 9, "without waiting"
local function f(n)
  local _ <close> = setmetatable({}, { __close = function()
    while true do pcall(function() while true do end end) end end })
  if n > 0 then f(n - 1) end
  while true do end
end
f(100)
--== a coroutine that outlives its maker
-- expect: exit 9, "without waiting"
local co = coroutine.wrap(function()
  while true do pcall(function() while true do end end) end
end)
pcall(co)
while true do pcall(co) pcall(coroutine.wrap(function()
  while true do end end)) end
--== a coroutine that spins when it is closed
-- expect: exit 9, "without waiting"
local co = coroutine.create(function()
  local _ <close> = setmetatable({}, { __close = function()
    while true do end end })
  coroutine.yield()
end)
coroutine.resume(co)
coroutine.close(co)
--== coroutines without number
-- expect: exit 9, "policy"
while true do coroutine.wrap(function() coroutine.yield() end)() end
--== metamethods that spin
-- expect: exit 9, "without waiting"
local function spin() while true do end end
local t = setmetatable({}, { __index = spin, __eq = spin, __tostring = spin })
print(t == setmetatable({}, getmetatable(t)))
--== print of what spins
-- expect: exit 9, "without waiting"
print(setmetatable({}, { __tostring = function() while true do end end }))
--== log of what spins
-- expect: exit 9, "without waiting"
log.info("x", { a = setmetatable({}, { __tostring = function()
  while true do end end }) })
--== an iterator that spins inside the library
-- expect: exit 9, "without waiting"
fal.delete_all(function() while true do end end)
--== a list that spins inside the library
-- expect: exit 9, "without waiting"
fal.each(setmetatable({}, { __index = function() while true do end end }),
         print)
--== an iterator without an end that the ledger never sees
-- expect: exit 9, "policy"
fal.each(function() return 1 end, function() end)
--== a loop of cheap calls
-- expect: exit 9, "without waiting"
local f = math.abs
while true do f(1) f(1) f(1) f(1) f(1) f(1) end
--== slow instructions
-- expect: exit 9, "without waiting"
local a, b = ("x"):rep(1 << 12):rep(60 << 8), ("x"):rep(1 << 12):rep(60 << 8)
while a == b do end
--== slow concatenations
-- expect: exit 9, "policy"
local a = ("x"):rep(1 << 12):rep(30 << 8)
while true do local _ = a .. "x" end
--== a pattern that explodes
-- expect: exit 9, "without waiting"
return (("a"):rep(30000)):find(("a*"):rep(30) .. "b")
--== a pattern that explodes in gmatch
-- expect: exit 9, "without waiting"
for _ in (("a"):rep(30000)):gmatch(("a*"):rep(30) .. "b") do end
--== a pattern that explodes in gsub, inside a coroutine, caught
-- expect: exit 9, "without waiting"
while true do pcall(coroutine.wrap(function()
  return pcall(string.gsub, ("a"):rep(30000), ("a-"):rep(30) .. "b", "")
end)) end
--== a pattern that explodes in a callback
-- expect: exit 9, "without waiting"
return ("x"):gsub("x", function()
  return (("a"):rep(30000)):match(("a?"):rep(150) .. ("a-"):rep(30) .. "b")
end)
--== table.move without an end
-- expect: exit 9, "without waiting"
table.move({}, 1, 1 << 40, 2)
--== table.insert into a list that says it is long
-- expect: exit 9, "without waiting"
table.insert(setmetatable({}, { __len = function() return 1 << 40 end }), 1,
             1)
--== table.remove from a list that says it is long
-- expect: exit 9, "without waiting"
table.remove(setmetatable({}, { __len = function() return 1 << 40 end }), 1)
--== a sort of giants
-- expect: exit 9, "policy"
local big, t = ("x"):rep(1 << 12):rep(60 << 8), {}
for i = 1, 2000 do t[i] = big end
table.sort(t)
--== a sort whose comparison spins
-- expect: exit 9, "without waiting"
table.sort({ 1, 2, 3 }, function() while true do end end)
--== a task that spins while another waits
-- expect: exit 9, "without waiting"
fal.spawn(function() while true do pcall(fal.sleep, "1ms") end end)
fal.sleep "5ms"
while true do end
--== goto
-- expect: exit 9, "without waiting"
::again:: goto again
--== a numeric loop to the end of integers
-- expect: exit 9, "without waiting"
for _ = math.mininteger, math.maxinteger do end
--== next without an end
-- expect: exit 9, "without waiting"
for _ in next, setmetatable({}, {}), nil do end
local t = { 1 }
while true do next(t) end
--== a call of what is called by itself
-- expect: exit 9, "without waiting"
local t = {}
t.__call = t
setmetatable(t, t)
t()
