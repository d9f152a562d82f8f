--- The harness of the Lua tests: a played `core`, and a small scheduler.
---
---   test("what must hold", function(world) ... end)
---   support.finish()
---
--- Each test gets a world of its own: modules are loaded anew, the clock is
--- virtual, lists are answered by world.answer(call), deletions by
--- world.outcome(id). A test fails when a task of it is still alive at its
--- end.
local fake = require "fake"

local support = { failed = 0, count = 0 }

local function forget_modules()
  for name in pairs(package.loaded) do
    if name:find("^fal%.") or name:find("^commands%.") or name == "core"
      or name == "host" or name == "fal" then
      package.loaded[name] = nil
    end
  end
end

--- Runs body(world) as the first task of a fresh world.
function support.test(name, body)
  forget_modules()
  local world = fake.world()
  package.preload.core = function() return world.core end
  package.preload.host = function() return world.host end
  local main = world.core.spawn(function() body(world) end)
  local ok, err = xpcall(world.turns, debug.traceback)
  if ok and main.failed then
    ok, err = false, main.traceback or tostring(main.results[1])
  elseif ok and world.alive() > 0 then
    ok, err = false, world.alive() .. " tasks are still alive"
  end
  support.count = support.count + 1
  if not ok then
    support.failed = support.failed + 1
    print(("not ok - %s\n  %s"):format(name, tostring(err)))
  else
    print("ok - " .. name)
  end
end

local function show(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  return fake.encode(value)
end

--- Fails unless both are equal, tables by what they hold.
function support.equal(got, wanted, what)
  if show(got) ~= show(wanted) or type(got) ~= type(wanted) then
    error(("%s: got %s, wanted %s"):format(what or "value", show(got),
                                           show(wanted)), 2)
  end
end

--- Fails unless f raises an error whose text has `pattern` in it (plain).
function support.raises(pattern, f, ...)
  local ok, err = pcall(f, ...)
  if ok then
    error("nothing was raised; wanted: " .. pattern, 2)
  elseif not tostring(err):find(pattern, 1, true) then
    error(("raised %q; wanted %q"):format(tostring(err), pattern), 2)
  end
  return err
end

--- Fails unless the text has `piece` in it (plain).
function support.has(text, piece)
  if not tostring(text):find(piece, 1, true) then
    error(("%q has no %q"):format(tostring(text), piece), 2)
  end
end

--- Everything an iterator gives, as a list.
function support.all(iterator)
  local list = {}
  for item in iterator do
    list[#list + 1] = item
  end
  return list
end

--- A request id by number; ids sort by their numbers.
function support.id(n)
  return ("00000000-0000-4000-8000-%012x"):format(n)
end

--- A row of a list: ended `seconds` after 2026-01-01.
function support.item(n, seconds, fields)
  local item = {
    request_id = support.id(n), endpoint_id = "a/b",
    sent_at = "2026-01-01T00:00:00Z", started_at = "2026-01-01T00:00:00Z",
    ended_at = fake.format_time(1767225600000 + (seconds or n) * 1000),
    status_code = 200, duration = 1.5,
  }
  for name, value in pairs(fields or {}) do
    item[name] = value
  end
  return item
end

function support.finish()
  print(("%d tests, %d failed"):format(support.count, support.failed))
  os.exit(support.failed == 0 and support.count > 0)
end

return support
