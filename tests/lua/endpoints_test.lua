--- "auto": the endpoints of usage and billing events.
local t = require "support"
local test, equal = t.test, t.equal

local function rows(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = { endpoint_id = name }
  end
  return list
end

--- Answers both sources; lists are empty.
local function serve(world, usage, events)
  world.answer = function(call)
    local page = { has_more = false, next_cursor = world.null }
    if call.path == "/models/usage" then
      page.summary = rows(usage)
    elseif call.path == "/models/billing-events" then
      page.billing_events = rows(events)
    else
      page.items = {}
    end
    return page
  end
end

local function auto(options)
  options = options or {}
  options.endpoint_id = "auto"
  return t.all(require "fal.requests".list(options))
end

local function calls_to(world, path)
  local found = {}
  for _, call in ipairs(world.calls) do
    if call.path == path then
      found[#found + 1] = call
    end
  end
  return found
end

test("the union is listed, and the differences are told", function(world)
  serve(world, { "a/1", "a/2", "a/2" }, { "a/3", "a/2" })
  auto { start = "2026-02-01", older_than = "1d" }
  local lists = calls_to(world, "/models/requests/by-endpoint")
  equal(#lists, 1)
  equal(lists[1].endpoints, { "a/1", "a/2", "a/3" })
  equal(world.log[1].fields.endpoints, "a/1")
  equal(world.log[2].fields.endpoints, "a/3")
end)

test("both sources are read with the admin key, over the span sent",
     function(world)
  serve(world, { "a/1" }, { "a/1" })
  auto { start = "2026-02-01", older_than = "1d" }
  local usage = calls_to(world, "/models/usage")[1]
  equal(usage.key, "admin")
  equal(usage.query.expand, "summary")
  equal(usage.query.start, "2026-02-01T00:00:00Z")
  equal(usage.query["end"], "2026-02-28T00:00:00Z")
  equal(calls_to(world, "/models/billing-events")[1].key, "admin")
end)

test("billing events are asked for 90 days at a time", function(world)
  serve(world, { "a/1" }, { "a/1" })
  auto { start = "2025-08-02", older_than = "1d" }
  local events = calls_to(world, "/models/billing-events")
  equal(#events, 3)
  local last = "2025-08-02T00:00:00Z"
  for _, call in ipairs(events) do
    equal(call.query.start, last)
    last = call.query["end"]
    local span = world.core.parse_time(last)
      - world.core.parse_time(call.query.start)
    equal(span <= 90 * 86400000, true)
  end
  equal(last, "2026-02-28T00:00:00Z")
end)

test("pages of both are followed", function(world)
  world.answer = function(call)
    local second = call.query.cursor ~= nil
    local name = second and "a/2" or "a/1"
    return { items = {}, summary = rows { name },
             billing_events = rows { name },
             has_more = not second and call.path:find("usage") ~= nil,
             next_cursor = "x" }
  end
  auto { older_than = "30d" }
  local lists = calls_to(world, "/models/requests/by-endpoint")
  equal(lists[1].endpoints, { "a/1", "a/2" })
end)

test("one source that fails fails the list", function(world)
  for _, broken in ipairs { "/models/usage", "/models/billing-events" } do
    world.answer = function(call)
      if call.path == broken then
        return nil, world.core.error("auth", "the key was refused")
      end
      return { items = {}, summary = rows { "a/1" },
               billing_events = rows { "a/1" }, has_more = false }
    end
    t.raises("the key was refused", auto, { older_than = "30d" })
  end
end)

test("rows without an endpoint raise", function(world)
  serve(world, { "a/1", 7 }, {})
  t.raises("summary[2].endpoint_id is a number", auto, {})
  world.answer = function()
    return { has_more = false }
  end
  t.raises("summary is missing", auto, {})
end)

test("no endpoints: nothing is listed, with a warning", function(world)
  serve(world, {}, {})
  equal(#auto {}, 0)
  equal(#calls_to(world, "/models/requests/by-endpoint"), 0)
  equal(world.log[#world.log].level, "warn")
end)

t.finish()
