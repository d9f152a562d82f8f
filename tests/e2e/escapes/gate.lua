--== a held request stays
-- expect: exit 0, "held"
local result, err = fal.delete_payloads(arg[2])
assert(result == nil)
print(err.status)
--== a held request stays, in another spelling
-- expect: exit 0, "blocked"
for _, id in ipairs { arg[2]:upper(), " " .. arg[2], arg[2] .. "\0",
  "{" .. arg[2] .. "}", arg[2]:gsub("-", ""), arg[2] .. "/../" .. arg[3],
  arg[2] .. "?x=1", "urn:uuid:" .. arg[2] } do
  assert(not pcall(fal.delete_payloads, id), id)
end
print "blocked"
--== a held request stays, in a list
-- expect: exit 0, "1"
local summary = fal.delete_all { { request_id = arg[2] } }
print(summary.held)
--== a held request stays, whatever became of the library's words
-- expect: exit 0, "held"
rawset(fal, "ago", nil)
rawset(_G, "pcall", error)
local task = fal.spawn(fal.delete_payloads, arg[2], { reason = "x" })
local _, _, err = task:wait()
print(err.status)
--== a key of one's own belongs to one id
-- expect: exit 1, "idempotency_key"
fal.delete_payloads(arg[3], { idempotency_key = "mine-000000000001" })
fal.delete_payloads(arg[2], { idempotency_key = "mine-000000000001" })
--== a key that breaks out of its header
-- expect: exit 1, "idempotency_key"
fal.delete_payloads(arg[3], { idempotency_key = "x\r\nAuthorization: y" })
--== a reason that breaks out of the ledger
-- expect: exit 0, "deleted"
print(fal.delete_payloads(arg[3], { reason = [[x","state":"deleted"}]] ..
  "'; DROP TABLE events; --\n\27" }).status)
--== a limit cannot be loosened
-- expect: exit 4, "limit"
fal.limits { max = 0 }
fal.limits { max = 1000000, min_age = "1ms" }
fal.delete_payloads(arg[3])
--== a limit of nonsense
-- expect: exit 0, "blocked"
for _, max in ipairs { -1, 0 / 0, math.huge, 1.5, "1", {}, true } do
  assert(not pcall(fal.limits, { max = max }))
end
print "blocked"
--== after a stop nothing more is deleted, however it is asked
-- expect: exit 4, "refused"
fal.limits { max = 0 }
local _, err = fal.delete_payloads(arg[3])
for _ = 1, 3 do _, err = fal.delete_payloads(arg[3]) end
fal.spawn(fal.delete_payloads, arg[3]):wait()
fal.delete_all { arg[3] }
coroutine.wrap(fal.delete_payloads)(arg[3])
print(err.status)
--== deletions in a close handler after a stop
-- expect: exit 4, "refused"
fal.limits { max = 0 }
local _ <close> = setmetatable({}, { __close = function()
  local _, err = fal.delete_payloads(arg[3])
  print(err.status) end })
fal.delete_payloads(arg[3])
error "now"
--== a deletion where nothing can wait
-- expect: exit 0, "blocked"
assert(not pcall(string.gsub, "x", "x", function()
  fal.delete_payloads(arg[3]) end))
assert(not pcall(table.sort, { 1, 2 }, function()
  fal.delete_payloads(arg[3]) end))
local t = setmetatable({}, { __tostring = function()
  fal.delete_payloads(arg[3]) return "x" end })
assert(not pcall(print, t) and not pcall(tostring, t))
print "blocked"
--== a deletion of what is being deleted
-- expect: exit 0, "deleted"
local tasks = {}
for i = 1, 20 do tasks[i] = fal.spawn(fal.delete_payloads, arg[3]) end
for _, task in ipairs(tasks) do task:wait() end
print(fal.delete_payloads(arg[3]).status)
--== a task that catches its end and deletes on
-- expect: exit 0, "deleted"
local task = fal.spawn(function()
  pcall(fal.sleep, "1h")
  print(fal.delete_payloads(arg[3]).status)
end)
fal.sleep "5ms"
task:cancel()
task:wait()
--== a cancelled deletion is a recorded one
-- expect: exit 0, "blocked"
local task = fal.spawn(fal.delete_payloads, arg[3])
fal.sleep "1ms"
task:cancel()
task:wait()
print "blocked"
--== a deletion by a policy that then fails
-- expect: exit 1, "mine"
for i = 3, 6 do fal.spawn(fal.delete_payloads, arg[i]) end
fal.sleep "1ms"
error "mine"
--== a deletion by a policy that then spins
-- expect: exit 9, "without waiting"
for i = 3, 12 do fal.spawn(fal.delete_payloads, arg[i]) end
fal.sleep "1ms"
while true do end
--== a deletion by a policy that then hoards
-- expect: exit 9, "256 MiB"
for i = 3, 12 do fal.spawn(fal.delete_payloads, arg[i]) end
fal.sleep "1ms"
local s = "x"
while true do s = s .. s end
--== a deletion by a policy that is then stuck
-- expect: exit 9, "without waiting"
for i = 3, 12 do fal.spawn(fal.delete_payloads, arg[i]) end
fal.sleep "1ms"
return (("a"):rep(30000)):find(("a*"):rep(30) .. "b")
--== a deletion by a policy that then floods
-- expect: exit 9, "printed more than"
for i = 3, 12 do fal.spawn(fal.delete_payloads, arg[i]) end
fal.sleep "1ms"
local line = ("x"):rep(1 << 12):rep(1 << 8)
for _ = 1, 100 do print(line) end
--== a deletion whose observer is in the way of memory
-- expect: exit 9, "256 MiB"
local keep = {}
for i = 3, 6 do fal.spawn(function()
  keep[i] = fal.delete_payloads(arg[i])
  while true do keep[#keep + 1] = ("x"):rep(1 << 12):rep(1 << 12) .. #keep end
end) end
--== delete_all of what never ends
-- expect: exit 1, "no request id"
local n = 0
fal.delete_all(function() n = n + 1 return n > 200000 and {} or arg[3] end)
--== a dry run of one's own sends nothing
-- expect: exit 0, "planned"
print(fal.delete_payloads(arg[3], { dry_run = true }).status)
--== ids that are none
-- expect: exit 0, "blocked"
for _, id in ipairs { "", "*", "..", "%00", 1, true, {}, print,
  ("0"):rep(36), ("-"):rep(36), arg[3]:sub(1, 35), arg[3] .. "x" } do
  assert(not pcall(fal.delete_payloads, id))
end
assert(not pcall(fal.delete_payloads) and not pcall(fal.delete_payloads, nil))
print "blocked"
