--== the metatable of strings is locked
-- expect: exit 0, "blocked"
assert(getmetatable("") == false)
assert(not pcall(setmetatable, "", {}))
print "blocked"
--== string functions of the policy are its own
-- expect: exit 0, "blocked"
string.format = function() error "evil" end
string.gsub, string.match, string.find = string.format, string.format, nil
table.concat, table.unpack, table.insert = nil, nil, nil
tostring, pairs, pcall_, type, select = nil, nil, nil, nil, nil
assert(fal.ago "1d" < "2999" and ("%d"):format(1) == "1")
for _ in fal.requests { endpoint_id = "auto", older_than = "2000d" } do end
print "blocked"
--== rawset on string does not reach methods
-- expect: exit 0, "blocked"
rawset(string, "upper", function() return "evil" end)
assert(("x"):upper() == "X")
print "blocked"
--== fal cannot be replaced
-- expect: exit 1, "falrun's own"
fal = {}
--== fal cannot be written
-- expect: exit 1, "cannot be set"
fal.delete_payloads = print
--== a raw write to fal changes what the policy sees, and nothing else
-- expect: exit 0, "blocked"
local calls = 0
rawset(fal, "delete_payloads", function() calls = calls + 1 end)
rawset(json, "encode", error)
rawset(log, "info", error)
fal.delete_all({ arg[3] }, { dry_run = true })
assert(calls == 0)
print "blocked"
--== the metatables of fal, log and json are locked
-- expect: exit 0, "blocked"
for _, t in ipairs { fal, log, json, _G } do
  assert(getmetatable(t) == false and not pcall(setmetatable, t, {}))
end
print "blocked"
--== next and pairs on fal hand out no table that can be written
-- expect: exit 0, "blocked"
assert(next(fal) == nil and rawlen(fal) == 0)
for _, value in pairs(fal) do
  assert(type(value) ~= "table" or not pcall(function() value.x = 1 end))
end
print "blocked"
--== the iterator of pairs takes any key
-- expect: exit 0, "blocked"
local f, t = pairs(fal)
assert(not pcall(f, t, "no such key") and not pcall(f, t, {}))
assert(pcall(f, nil, nil))
print "blocked"
--== the metatable of errors is locked
-- expect: exit 0, "blocked"
local _, err = json.decode "x"
assert(getmetatable(err) == false)
assert(not pcall(setmetatable, err, { __gc = print }))
print "blocked"
--== the metatable of tasks is locked
-- expect: exit 0, "blocked"
local task = fal.spawn(function() end)
assert(getmetatable(task) == false)
assert(not pcall(function() task.wait = print end))
assert(not pcall(task.wait, {}) and not pcall(task.cancel, "x"))
task:wait()
print "blocked"
--== the mark of lists is locked
-- expect: exit 0, "blocked"
local list = json.array {}
assert(getmetatable(list) == false and not pcall(setmetatable, list, {}))
print "blocked"
--== the functions of the library's modules belong to nobody's table
-- expect: exit 0, "blocked"
local list = fal.delete_all({}, {}).errors
assert(getmetatable(list) == false)
print "blocked"
--== options that change while they are read
-- expect: exit 1, "bad argument"
local n = 0
fal.delete_payloads(arg[3], setmetatable({}, { __index = function()
  n = n + 1 return n end, __pairs = function() return next, { x = 1 } end,
  __len = function() return 1 << 60 end, __call = error,
}) and { retries = 99 })
--== options behind a metatable are not options
-- expect: exit 0, "planned"
local r = fal.delete_payloads(arg[3], setmetatable({ dry_run = true }, {
  __index = function(_, k) return k == "dry_run" and false or nil end }))
print(r.status)
--== an item whose id changes
-- expect: exit 1, "no request id"
local n = 0
fal.delete_all { setmetatable({}, { __index = function() n = n + 1
  return n == 1 and arg[3] .. "x" or arg[3] end }) }
--== an error object that spins when it is told
-- expect: exit 9, "without waiting"
error(setmetatable({}, { __tostring = function() while true do end end }))
--== an error object of a task that spins when it is told
-- expect: exit 9, "without waiting"
fal.spawn(function() error(setmetatable({}, { __tostring = function()
  while true do end end })) end)
--== an error object that is told by the collector
-- expect: exit 1, "a table"
do fal.spawn(function() error(setmetatable({}, { __tostring = function()
  while true do end end })) end) end
for _ = 1, 300 do fal.sleep "1ms" for _ = 1, 1000 do local _ = {} end end
--== an error object that raises when it is told
-- expect: exit 1, "whose __tostring failed"
error(setmetatable({}, { __tostring = function() error "again" end }))
--== an error object that has falrun's code
-- expect: exit 1, "mine"
error { code = "config", kind = "config", message = "mine" }
--== an error object that says the run was interrupted
-- expect: exit 1, "policy"
error { code = "interrupted", message = "policy" }
--== an error object that says it was cancelled
-- expect: exit 1, "policy"
error { code = "cancelled", message = "policy" }
--== an error object that says the run was stopped
-- expect: exit 1, "policy"
error { code = "stopped", message = "policy" }
--== an error of nothing
-- expect: exit 1, "nil"
error(nil)
--== an error message that steers the terminal
-- expect: exit 1, "mine"
error("\27[2J\27]0;mine\7\r\n\0falrun: deleted 5", 0)
--== metamethods of everything in a log line
-- expect: exit 0, "blocked"
local bad = setmetatable({}, { __tostring = function() error "no" end })
assert(not pcall(log.info, bad) and not pcall(log.info, "x", { a = bad }))
assert(not pcall(log.info, "x", { [bad] = 1 }))
local t = {}
t.a = setmetatable({}, { __tostring = function() t.b, t.c = nil, 2
  return "a" end })
t.b = 1
log.info("x", t)
log.info(("x"):rep(1 << 20), { [("y"):rep(1 << 20)] = ("z"):rep(1 << 20) })
print "blocked"
--== a comparison that lies
-- expect: exit 0, "blocked"
local evil = setmetatable({}, { __eq = function() return true end,
  __lt = function() return true end, __le = function() return true end,
  __concat = function() return arg[3] end, __len = function() return -1 end })
assert(not pcall(fal.delete_payloads, evil))
assert(not pcall(fal.ago, evil) and not pcall(fal.sleep, evil))
assert(not pcall(fal.limits, evil .. ""))
print "blocked"
