--== io is not there
-- expect: exit 1, "undefined global 'io'"
return io.open(arg[1])
--== debug is not there
-- expect: exit 1, "undefined global 'debug'"
return debug.getregistry()
--== package is not there
-- expect: exit 1, "undefined global 'package'"
return package.loadlib("libc.so.6", "system")
--== dofile is not there
-- expect: exit 1, "undefined global 'dofile'"
dofile(arg[1])
--== loadfile is not there
-- expect: exit 1, "undefined global 'loadfile'"
loadfile(arg[1])()
--== warn is not there
-- expect: exit 1, "undefined global 'warn'"
warn("@on")
--== a raw look at the globals finds nothing more
-- expect: exit 0, "blocked"
for _, name in ipairs { "io", "debug", "package", "dofile", "loadfile",
                        "warn" } do
  assert(rawget(_G, name) == nil and rawget(_ENV, name) == nil)
end
print "blocked"
--== os has no processes and no files
-- expect: exit 0, "blocked"
for _, name in ipairs { "execute", "exit", "remove", "rename", "tmpname",
                        "setlocale" } do
  assert(os[name] == nil, name)
end
print "blocked"
--== os.exit
-- expect: exit 1, "os.exit"
os.exit(0)
--== os.execute
-- expect: exit 1, "os.execute"
os.execute("cat " .. arg[1])
--== string.dump is not there
-- expect: exit 0, "blocked"
assert(string.dump == nil and ("").dump == nil)
print "blocked"
--== the environment shows no key
-- expect: exit 0, "blocked"
for _, name in ipairs { "FAL_ADMIN_KEY", "FAL_KEY", "FAL_KEY_ID",
  "FAL_KEY_SECRET", "fal_admin_key", "FAL_KEY_FILE", "FAL_ADMIN_KEY_FILE",
  "CREDENTIALS_DIRECTORY", "AWS_SECRET_ACCESS_KEY", "MY_API_KEY",
  "GITHUB_TOKEN", "DB_PASSWORD" } do
  assert(os.getenv(name) == nil, name)
end
print "blocked"
--== a name with a NUL finds no key
-- expect: exit 0, "blocked"
print(os.getenv("FAL_ADMIN_KEY\0x") or os.getenv("FAL_ADMIN_KEY=") or
      os.getenv("\0FAL_ADMIN_KEY") or "blocked")
--== the collector cannot be stopped
-- expect: exit 0, "blocked"
for _, what in ipairs { "stop", "restart", "step", "generational",
  "incremental", "setpause", "setstepmul", "collect", "isrunning" } do
  assert(not pcall(collectgarbage, what, 1000000))
end
print "blocked"
--== the collector cannot be stopped by a number that counts
-- expect: exit 1, "collectgarbage"
collectgarbage("count\0stop" == "count" and "stop" or "stop")
--== finalizers are refused
-- expect: exit 1, "__gc is not available"
setmetatable({}, { __gc = function() while true do end end })
--== a finalizer that comes later is none
-- expect: exit 0, "blocked"
local mt = {}
local t = setmetatable({}, mt)
mt.__gc = function() while true do end end
t = setmetatable({}, { __index = mt }) and nil
for _ = 1, 1e5 do local _ = {} end
print "blocked"
--== a finalizer behind a metatable of the metatable
-- expect: exit 0, "blocked"
local mt = setmetatable({}, { __index = { __gc = function()
  while true do end end } })
for _ = 1, 1e5 do setmetatable({}, mt) end
print "blocked"
--== os.date has no way out
-- expect: exit 0, "blocked"
pcall(os.date, "%Ez") pcall(os.date, "*t", 1e18) pcall(os.date, "%", 1)
pcall(os.date, ("%c"):rep(10000)) pcall(os.time, { year = 1e15, month = 1,
  day = 1 })
print "blocked"
--== string.format with giants
-- expect: exit 0, "blocked"
assert(not pcall(string.format, "%99999d", 1))
assert(not pcall(string.format, "%.99999f", 1))
assert(not pcall(string.format, "%n", 1))
assert(not pcall(string.format, ("%"):rep(100001), 1))
print "blocked"
--== string.pack and unpack out of bounds
-- expect: exit 0, "blocked"
assert(not pcall(string.pack, "i17", 1))
assert(not pcall(string.unpack, "s8", "\255\255\255\255\255\255\255\127"))
assert(not pcall(string.unpack, "z", "no end"))
assert(not pcall(string.unpack, "i4", "abcd", math.maxinteger))
pcall(string.unpack, "i4", "abcd", math.mininteger)
assert(not pcall(string.packsize, ("i8"):rep(1 << 20) .. "!17"))
print "blocked"
--== indexes at the ends of integers
-- expect: exit 0, "blocked"
local low, high = math.mininteger, math.maxinteger
assert(("abc"):sub(low, high) == "abc" and ("abc"):byte(high) == nil)
pcall(table.concat, {}, "", low, high)
pcall(table.unpack, {}, low, high)
pcall(table.move, {}, low, high, 2)
pcall(table.insert, {}, high, 1)
pcall(table.remove, {}, low)
pcall(select, low, 1)
pcall(utf8.codepoint, "abc", low, high)
pcall(utf8.offset, "abc", high, low)
pcall(string.rep, "x", high, "y")
print "blocked"
--== string.rep of nothing ends at once
-- expect: exit 0, "blocked"
assert((""):rep(math.maxinteger) == "" and (""):rep(1 << 62, "") == "")
print "blocked"
--== a giant string.rep
-- expect: exit 1, "64 MiB"
return ("x"):rep(1 << 40)
--== a sort that lies
-- expect: exit 0, "blocked"
local t = {}
for i = 1, 1000 do t[i] = i * 7919 % 1000 end
pcall(table.sort, t, function() return true end)
pcall(table.sort, t, function() t[1] = nil return false end)
pcall(table.sort, t, function(a) t[a] = t return nil end)
print "blocked"
