--== pcall in pcall
-- expect: exit 0, "blocked"
local function f(n) return pcall(f, n + 1) end
f(1)
print "blocked"
--== recursion without an end
-- expect: exit 1, "stack overflow"
local function f() return 1 + f() end
f()
--== an error handler that fails for ever
-- expect: exit 0, "blocked"
local function h() error "again" end
assert(not xpcall(error, h))
local function deep() return xpcall(deep, deep) end
deep()
print "blocked"
--== coroutines inside coroutines
-- expect: exit 0, "blocked"
local function nest()
  local co = coroutine.create(nest)
  return coroutine.resume(co)
end
nest()
local function wrapped() return coroutine.wrap(wrapped)() end
assert(not pcall(wrapped))
print "blocked"
--== gsub inside gsub
-- expect: exit 0, "blocked"
local function f(s) return (s:gsub(".", f)) end
assert(not pcall(f, "x"))
print "blocked"
--== sort inside sort
-- expect: exit 0, "blocked"
local function f() table.sort({ 1, 2, 3 }, f) return false end
assert(not pcall(f))
print "blocked"
--== metamethods in circles
-- expect: exit 0, "blocked"
local t = {}
t.__index, t.__newindex, t.__concat = t, t, function(a, b)
  return a .. b end
t.__eq = function(a, b) return a == b end
t.__tostring = tostring
setmetatable(t, t)
local u = setmetatable({}, t)
assert(not pcall(function() return t.x end))
assert(not pcall(function() t.x = 1 end))
assert(not pcall(function() return t .. u end))
assert(not pcall(function() return t == u end))
assert(not pcall(tostring, t))
print "blocked"
--== deep JSON
-- expect: exit 0, "blocked"
assert(json.decode(("["):rep(100000)) == nil)
assert(json.decode(("["):rep(100000) .. ("]"):rep(100000)) == nil)
assert(json.decode(("{\"a\":"):rep(1000) .. "1" .. ("}"):rep(1000)) == nil)
local t = {}
for _ = 1, 1000 do t = { t } end
assert(not pcall(json.encode, t))
t = {}
t[1] = t
assert(not pcall(json.encode, t))
print "blocked"
--== JSON that is none
-- expect: exit 0, "blocked"
for _, text in ipairs { "", "\0", "nul", "[1,]", "{\"a\"}", "\"\\u12\"",
  "\"\\ud800\"x", "1e999", "-", "[1 2]", "{\"a\":1,}", "\xff", "[\"\\", "'",
  "NaN", "0x10", "[[[[", ("1"):rep(5000), "\"" .. ("a"):rep(1 << 20) } do
  assert(json.decode(text) == nil, text)
end
print "blocked"
--== close handlers in a chain
-- expect: exit 0, "blocked"
local function f(n)
  local _ <close> = setmetatable({}, { __close = function()
    if n < 150 then pcall(f, n + 1) end
    error "in close" end })
  error "in body"
end
assert(not pcall(f, 1))
print "blocked"
--== a pattern that is too complex
-- expect: exit 0, "blocked"
assert(not pcall(string.find, ("a"):rep(300000), (".-"):rep(100000) .. "b"))
assert(not pcall(string.find, "x", ("("):rep(1000)))
assert(not pcall(string.find, "x", "%"))
assert(not pcall(string.find, "x", "[a"))
assert(not pcall(string.find, "x", "%f"))
assert(not pcall(string.gsub, "x", "x", "%9"))
print "blocked"
--== coroutines that meddle with each other
-- expect: exit 0, "blocked"
local co
co = coroutine.create(function()
  assert(not coroutine.resume(co) and not pcall(coroutine.close, co))
  local inner = coroutine.wrap(function()
    assert(not pcall(coroutine.close, co))
    assert(not coroutine.resume(co))
    coroutine.yield()
  end)
  inner()
end)
assert(coroutine.resume(co))
assert(not pcall(coroutine.close, (coroutine.running())))
assert(not pcall(coroutine.resume, (coroutine.running())) or true)
assert(not pcall(coroutine.yield))
print "blocked"
--== a coroutine that yields what the scheduler yields
-- expect: exit 0, "blocked"
local co = coroutine.create(function()
  local got = { coroutine.yield(json.null) }
  coroutine.yield(table.unpack(got))
end)
coroutine.resume(co)
coroutine.resume(co, json.null, 1, nil)
fal.sleep "1ms"
print "blocked"
--== a coroutine of another task
-- expect: exit 0, "blocked"
local co = coroutine.create(function() fal.sleep "30ms" end)
local task = fal.spawn(function() return coroutine.resume(co) end)
fal.sleep "5ms"
assert(not pcall(coroutine.close, co) and not coroutine.resume(co))
assert(task:wait())
print "blocked"
--== too many arguments and results
-- expect: exit 0, "blocked"
local function many(n) return table.unpack({}, 1, n) end
assert(not pcall(many, 1e8))
pcall(coroutine.wrap(function() return many(190000) end))
pcall(fal.spawn, print, many(190000))
local co = coroutine.wrap(function(...) coroutine.yield(...) end)
pcall(co, many(190000))
pcall(string.char, many(190000))
pcall(math.max, many(190000))
pcall(select, "#", many(190000))
print "blocked"
--== the coroutine of a task, resumed and closed by others
-- expect: exit 0, "deleted"
local main, other = coroutine.running(), nil
local task = fal.spawn(function()
  other = coroutine.running()
  return fal.delete_payloads(arg[3])
end)
fal.spawn(function() for _ = 1, 20 do
  coroutine.resume(main) pcall(coroutine.close, main)
  coroutine.resume(other) pcall(coroutine.close, other)
  coroutine.wrap(function() coroutine.resume(main)
    pcall(coroutine.close, other) end)()
  fal.sleep "1ms"
end end)
fal.sleep "5ms"
local _, result = task:wait()
print(result.status)
--== the coroutine of a report
-- expect: exit 1, "told"
local main
for _ = 1, 2 do fal.spawn(function()
  error(setmetatable({}, { __tostring = function()
    main = main or coroutine.running()
    coroutine.wrap(function() coroutine.resume(main)
      pcall(coroutine.close, main) end)()
    return "told" end })) end) end
