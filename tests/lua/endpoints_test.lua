--- "auto": the endpoints of usage, billing events and search.
local t = require "support"
local test, equal = t.test, t.equal

local function rows(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = { endpoint_id = name }
  end
  return list
end

--- Rows of search, sent at a time.
local function sent(names, at)
  local list = rows(names)
  for _, one in ipairs(list) do
    one.sent_at, one.ended_at = at, at
  end
  return list
end

local IN_SPAN <const> = "2026-02-10T00:00:00Z"

--- Answers the sources; lists are empty. Without `searched`, search has what
--- the others have.
local function serve(world, usage, events, searched)
  local both = table.move(events, 1, #events, #usage + 1,
                          table.move(usage, 1, #usage, 1, {}))
  world.answer = function(call)
    local page = { has_more = false, next_cursor = world.null }
    if call.path == "/models/usage" then
      page.summary = rows(usage)
    elseif call.path == "/models/billing-events" then
      page.billing_events = rows(events)
    elseif call.path == "/models/requests/search" then
      page.results = sent(searched or both, IN_SPAN)
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
             billing_events = rows { name }, results = {},
             has_more = not second and call.path:find("usage") ~= nil,
             next_cursor = "x" }
  end
  auto { older_than = "30d" }
  local lists = calls_to(world, "/models/requests/by-endpoint")
  equal(lists[1].endpoints, { "a/1", "a/2" })
end)

test("one source that fails fails the list", function(world)
  for _, broken in ipairs { "/models/usage", "/models/billing-events",
                            "/models/requests/search" } do
    world.answer = function(call)
      if call.path == broken then
        return nil, world.core.error("auth", "the key was refused")
      end
      return { items = {}, summary = rows { "a/1" }, results = {},
               billing_events = rows { "a/1" }, has_more = false }
    end
    t.raises("the key was refused", auto, { older_than = "30d" })
  end
end)

test("rows without an endpoint raise", function(world)
  serve(world, { "a/1", 7 }, {}, {})
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

local SEARCH <const> = "/models/requests/search"

test("search adds what the others lack, and lacks are told", function(world)
  serve(world, { "a/1", "a/2" }, { "a/2" }, { "a/2", "a/3" })
  auto { start = "2026-02-01", older_than = "1d" }
  local lists = calls_to(world, "/models/requests/by-endpoint")
  equal(lists[1].endpoints, { "a/1", "a/2", "a/3" })
  equal(world.log[1].text,
        "only usage lists, not billing events and search")
  equal(world.log[2].text,
        "only search lists, not usage and billing events")
  equal(world.log[2].fields.endpoints, "a/3")
  local call = calls_to(world, SEARCH)[1]
  equal(call.key, "list")
  equal(call.query.start, nil)
end)

--- Pages of search without end, each of one row that is `step` older.
local function endless(world, step, usage, events)
  serve(world, usage, {})
  local before, count = world.answer, 0
  local newest = world.core.parse_time "2026-03-01"
  world.answer = function(call)
    if call.path == "/models/billing-events" then
      return { billing_events = events, has_more = false }
    elseif call.path ~= SEARCH then
      return before(call)
    end
    count = count + 1
    return { results = sent({ "s/" .. count },
               world.core.format_time(newest - count * step)),
             has_more = true, next_cursor = "c" .. count }
  end
end

local HOUR <const> = 3600000

test("search is read a day beyond the start of the span", function(world)
  endless(world, 24 * HOUR, {}, {})
  auto { start = "2026-02-19", ["end"] = "2026-02-21" }
  equal(#calls_to(world, SEARCH), 12)   -- the page of the 17th is the last
  equal(calls_to(world, "/models/requests/by-endpoint")[1].endpoints,
        { "s/10", "s/9" })              -- of the 19th and the 20th
end)

test("search ends at page 100, and vouches for nothing older",
     function(world)
  endless(world, HOUR, { "u/old" }, {
    { endpoint_id = "e/old", timestamp = "2026-02-10T00:00:00Z" },
    { endpoint_id = "e/new", timestamp = "2026-02-27T00:00:00Z" } })
  auto { start = "2026-02-01", ["end"] = "2026-02-28" }
  equal(#calls_to(world, SEARCH), 100)
  local said = {}
  for _, line in ipairs(world.log) do
    said[line.text] = line.fields and
      (line.fields.endpoints or line.fields.sent_at)
  end
  equal(said["only billing events list, not usage and search"], "e/new")
  equal(said["only billing events list, not usage"], "e/old")
  equal(said["only usage lists, not billing events"], "u/old")
  equal(said["search was read to page 100: of what was sent before, only "
             .. "usage and billing events tell"], "2026-02-24T20:00:00Z")
end)

test("rows of search without a time raise", function(world)
  serve(world, {}, {}, {})
  local before = world.answer
  world.answer = function(call)
    if call.path ~= SEARCH then
      return before(call)
    end
    return { has_more = false, results = { { endpoint_id = "a", sent_at = 7 },
                                         } }
  end
  t.raises("results[1].sent_at is a number, not a time", auto, {})
end)

t.finish()
