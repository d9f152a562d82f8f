--== bytecode
-- expect: exit 0, "blocked"
local code = "\27Lua\x54\0\x19\x93\r\n\x1a\n\4\8\8xV\0\0\0"
for _, mode in ipairs { "b", "bt", "t", "x", "" } do
  assert(load(code, "=x", mode) == nil)
end
print "blocked"
--== bytecode in pieces
-- expect: exit 0, "blocked"
local code, at = "\27Lua\x54\0\x19\x93\r\n\x1a\n", 0
assert(load(function() at = at + 1 return code:sub(at, at) end, "=x", "b")
       == nil)
print "blocked"
--== loaded text has the policy's globals
-- expect: exit 1, "undefined global 'io'"
load("return io.open(...)")(arg[1])
--== an environment without guards has nothing in it
-- expect: exit 0, "blocked"
assert(load("return io, debug, require, fal", "=x", "t", {})() == nil)
assert(load("return io", "=x", "t", setmetatable({}, { __index =
  function() return nil end }))() == nil)
print "blocked"
--== a nil environment
-- expect: exit 0, "blocked"
assert(not pcall(load("return io", "=x", "t", nil)))
print "blocked"
--== _ENV replaced
-- expect: exit 0, "blocked"
local print = print
do
  local _ENV = { }
  assert_ = io
end
print "blocked"
--== the name of an embedded file
-- expect: exit 1, "name of a file of falrun's own"
load("return require 'host'", "=falrun/commands/run.lua")
--== the name of an embedded file that is not one
-- expect: exit 1, "falrun/fal/x.lua:1: x"
fal.spawn(load("error('x')", "=falrun/fal/x.lua"))
--== the name of an embedded file, as a file
-- expect: exit 1, "mine"
fal.spawn(load("error('mine')", "@falrun/fal/requests.lua"))
--== an error that speaks for an embedded file
-- expect: exit 1, "haha"
error("falrun/fal/requests.lua:1: haha", 0)
--== an error of a task that speaks for an embedded file
-- expect: exit 1, "haha"
fal.spawn(function() error("falrun/fal/requests.lua:1: haha", 0) end)
--== two tasks that speak for an embedded file
-- expect: exit 1, "haha"
for _ = 1, 2 do
  fal.spawn(function() error("falrun/fal/requests.lua:1: haha", 0) end)
end
--== a name that is a giant
-- expect: exit 1, "no"
load("error('no')", ("="):rep(1 << 20))()
--== a chunk name with escapes does not steer the terminal
-- expect: exit 1, "no"
load("error('no')", "=\27[2J\27]0;x\7")()
--== text that is too deep for the parser
-- expect: exit 0, "blocked"
for _, piece in ipairs { "(", "{", "function() ", "if x then ", "do ",
                         "a.b[", "not ", "- ", "x=" } do
  assert(load("return " .. piece:rep(50000)) == nil)
  assert(load(piece:rep(50000)) == nil)
end
print "blocked"
--== text with too many of everything
-- expect: exit 0, "blocked"
assert(load("local " .. ("a,"):rep(300) .. "a") == nil)
assert(load("return " .. ("a..")
  :rep(300000) .. "a") == nil)
assert(load("goto x") == nil and load("break") == nil)
assert(load(("::x::"):rep(2)) == nil)
assert(load("local x <const> = 1; x = 2") == nil)
print "blocked"
--== a reader that never ends
-- expect: exit 9, "policy"
load(function() return " " end)
--== a reader that gives ever more
-- expect: exit 9, "policy"
local piece = "x = {" .. ("1,"):rep(100000) .. "} "
load(function() return piece end)
--== a reader that yields
-- expect: exit 0, "blocked"
local co = coroutine.wrap(function()
  return load(function() coroutine.yield(1) end)
end)
assert(co() == nil)
print "blocked"
--== loading in a loop
-- expect: exit 9, "policy"
while true do load("return " .. ("{"):rep(150) .. ("}"):rep(150))() end
