--- Keep rules, against an oracle that is slow and obvious, and by name.
local fake = require "fake"
local t = require "support"
local test, equal, raises = t.test, t.equal, t.raises

local HOUR <const>, DAY <const> = 3600000, 86400000

-- ---- candidates and zones ----------------------------------------------

--- A candidate: id by number, ended at a time (text or ms).
local function item(n, at, endpoint)
  local ms = math.type(at) and at or fake.world().core.parse_time(at)
  return { request = { request_id = t.id(n), status_code = 200,
                       endpoint_id = endpoint or "a/b",
                       ended_at = fake.format_time(ms) }, ms = ms }
end

local function why(rule, items, now)
  local keeping = require "fal.keeping".new(rule)
  for index, one in ipairs(items) do
    keeping:add(index, one.request, one.ms)
  end
  return keeping:finish(now or 4102444800000)
end

--- The places of the kept items, "1 3 4".
local function kept(rule, items, now)
  local reasons, places = why(rule, items, now), {}
  for index = 1, #items do
    places[#places + 1] = reasons[index] and index
  end
  return table.concat(places, " ")
end

--- All reasons, "2: last 1 | 3: last 1": tables with holes do not compare.
local function told(reasons, most)
  local list = {}
  for index = 1, most do
    list[#list + 1] = reasons[index] and index .. ": " .. reasons[index]
  end
  return table.concat(list, " | ")
end

--- Europe/Berlin in 2026: summer from 29 March to 25 October, 01:00 UTC.
local SUMMER <const>, WINTER <const> = 1774746000000, 1792890000000
local function berlin(world)
  local plain = world.zone_offset
  function world.zone_offset(zone, at)
    if zone == "Europe/Berlin" then
      return (at >= SUMMER and at < WINTER) and 7200 or 3600
    end
    return plain(zone, at)
  end
end

-- ---- the oracle --------------------------------------------------------

local oracle = {}

--- The name of a period, by os.date alone.
local FORMATS <const> = { hourly = "!%Y-%m-%d %H", daily = "!%Y-%m-%d",
                          weekly = "!%G-%V", monthly = "!%Y-%m",
                          yearly = "!%Y" }

local function offset_of(zone, ms)
  if zone == "Europe/Berlin" then
    return (ms >= SUMMER and ms < WINTER) and 7200 or 3600
  end
  return ({ UTC = 0, ["+05:30"] = 19800, ["-08:00"] = -28800 })[zone]
end

--- Whether one entry keeps items[place]: how many newer items, or periods of
--- newer items, has its group?
local function entry_keeps(name, n, group_of, zone, items, place)
  local me, newer, periods, count = items[place], 0, {}, 0
  local function period(one)
    return os.date(FORMATS[name],
                   one.ms // 1000 + offset_of(zone, one.ms))
  end
  for other, one in ipairs(items) do
    if other ~= place and group_of(one) == group_of(me) and
      (one.ms > me.ms or one.ms == me.ms and
       one.request.request_id > me.request.request_id) then
      newer = newer + 1
      if name ~= "last" then
        local p = period(one)
        if p == period(me) then
          return false
        end
        count = periods[p] and count or count + 1
        periods[p] = true
      end
    end
  end
  return (name == "last" and newer or count) < n
end

function oracle.keeps(spec, items, place, now, by, zone)
  by, zone = spec.by or by, spec.zone or zone
  local function group_of(one)
    return by == nil or (type(by) == "function" and by(one.request)
                         or one.request[by])
  end
  local answers = {}
  for _, entry in ipairs(spec) do
    local answer
    if entry.mode then
      answer = oracle.keeps(entry, items, place, now, by, zone)
    elseif entry[1] == "within" then
      answer = now - items[place].ms <= entry[2] * HOUR
    else
      answer = entry_keeps(entry[1], entry[2], group_of, zone, items, place)
    end
    answers[answer] = true
  end
  if spec.mode == "any" then
    return answers[true] == true
  end
  return not answers[false]
end

-- ---- random rules and items --------------------------------------------

local NAMES <const> = { "last", "hourly", "daily", "weekly", "monthly",
                        "yearly", "within" }
local ZONES <const> = { "UTC", "+05:30", "-08:00", "Europe/Berlin" }

local function by_status(request)
  return request.status_code
end

local function pick(list)
  return list[math.random(#list)]
end

local function random_spec(depth)
  local spec, used = { mode = pick { "any", "all" } }, {}
  for _ = 1, math.random(3) do
    local name = pick(NAMES)
    if not used[name] then
      local most = name == "within" and 2000 or 6
      spec[#spec + 1], used[name] = { name, math.random(most) }, true
    end
  end
  if depth > 0 and math.random() < 0.4 then
    spec[#spec + 1] = random_spec(depth - 1)
  end
  spec.by = pick { "endpoint_id", "status_code", by_status, false, false }
    or nil
  spec.zone = math.random() < 0.5 and pick(ZONES) or nil
  return spec
end

local function rule_of(keep, spec)
  local options = { by = spec.by, zone = spec.zone }
  for _, entry in ipairs(spec) do
    if entry.mode then
      options[#options + 1] = rule_of(keep, entry)
    else
      options[entry[1]] = entry[1] == "within" and entry[2] .. "h" or entry[2]
    end
  end
  return keep[spec.mode](options)
end

--- Items that crowd: within hours, days or years, around a change of clocks
--- or of the year, with many ties.
local function random_items()
  local items, ids = {}, {}
  local middle = pick { SUMMER, WINTER, 1767225600000, 1798761600000 }
  local spread = pick { 6 * HOUR, 5 * DAY, 90 * DAY, 1500 * DAY }
  local step = pick { 1, 1000, HOUR }
  for n = 1, math.random(0, 60) do
    ids[n] = n
  end
  for n = #ids, 2, -1 do
    local other = math.random(n)
    ids[n], ids[other] = ids[other], ids[n]
  end
  for n, id in ipairs(ids) do
    local ms = middle + math.random(-spread, spread) // step * step
    items[n] = item(id, ms, pick { "a/b", "c/d", "e/f" })
    items[n].request.status_code = pick { 200, 422, 500 }
  end
  local order = pick { "none", "oldest", "newest" }
  if order ~= "none" then
    table.sort(items, function(a, b)
      if a.ms == b.ms then
        return a.request.request_id < b.request.request_id
      end
      return (a.ms < b.ms) == (order == "oldest")
    end)
  end
  return items, middle + math.random(-spread, spread)
end

test("a thousand random rules keep what the oracle keeps", function(world)
  berlin(world)
  math.randomseed(20260501)
  local keep, total = require "fal.keep", 0
  for case = 1, 1000 do
    local spec = random_spec(2)
    local items, now = random_items()
    local rule, expected = rule_of(keep, spec), {}
    for place = 1, #items do
      expected[#expected + 1] =
        oracle.keeps(spec, items, place, now, nil, "UTC") and place or nil
    end
    total = total + #expected
    equal(kept(rule, items, now), table.concat(expected, " "),
          ("case %d, %s"):format(case, tostring(rule)))
  end
  assert(total > 5000, "too few items were kept to mean anything")
end)

-- ---- by name -----------------------------------------------------------

test("of every reason an item is told", function()
  local keep = require "fal.keep"
  local items = { item(1, "2026-05-01T08:00:00Z"),
                  item(2, "2026-05-01T09:00:00Z"),
                  item(3, "2026-05-02T10:30:00Z") }
  local now = items[3].ms + DAY
  local reasons = why(keep.any { last = 1, keep.all { daily = 7,
                                 within = "30d" } }, items, now)
  equal(told(reasons, 3), "2: daily 7 (2026-05-01) and within 30d | "
        .. "3: last 1; daily 7 (2026-05-02) and within 30d")
  reasons = why(keep.any { last = 1, daily = 2, by = "endpoint_id" }, items)
  equal(reasons[2], "daily 2 (2026-05-01) of a/b")
  equal(reasons[3], "last 1 of a/b; daily 2 (2026-05-02) of a/b")
  equal(why(keep.any { hourly = 1 }, items)[3], "hourly 1 (2026-05-02 10:00)")
  equal(why(keep.any { weekly = 1 }, items)[3], "weekly 1 (2026-W18)")
  equal(why(keep.any { monthly = 1 }, items)[3], "monthly 1 (2026-05)")
  equal(why(keep.any { yearly = 1 }, items)[3], "yearly 1 (2026)")
  reasons = why(keep.all { keep.any { last = 1, daily = 1 },
                           within = "30d" }, items, now)
  equal(told(reasons, 3),
        "3: within 30d and (last 1; daily 1 (2026-05-02))")
end)

test("no candidates, and fewer than asked for", function()
  local keep = require "fal.keep"
  equal(kept(keep.any { last = 3, daily = 3, within = "1d" }, {}), "")
  equal(kept(keep.any { last = 1000000000 }, { item(1, DAY) }), "1")
  equal(kept(keep.any { daily = 1000000000 }, { item(1, DAY) }), "1")
end)

test("periods without an item do not count", function()
  local keep = require "fal.keep"
  local items = { item(1, "2021-01-01"), item(2, "2023-06-01"),
                  item(3, "2026-05-01"), item(4, "2026-05-01T00:00:01Z") }
  equal(kept(keep.any { daily = 2 }, items), "2 4")
  equal(kept(keep.any { yearly = 3 }, items), "1 2 4")
end)

test("within counts from now, and its edge is inside", function()
  local keep = require "fal.keep"
  local now = 1767225600000
  local items = { item(1, now - DAY - 1), item(2, now - DAY), item(3, now),
                  item(4, now + 5) }
  equal(kept(keep.any { within = "1d" }, items, now), "2 3 4")
  equal(kept(keep.any { within = "1d" }, items, now + 9 * DAY), "")
end)

test("of a tie the greater id is newer, in whatever order", function()
  local keep = require "fal.keep"
  local one, two = item(1, "2026-05-01"), item(2, "2026-05-01")
  for _, options in ipairs { { last = 1 }, { daily = 1 }, { yearly = 4 } } do
    equal(kept(keep.any(options), { one, two }), "2")
    equal(kept(keep.any(options), { two, one }), "1")
  end
end)

test("a day of 25 hours is one day, its double hour one hour",
     function(world)
  berlin(world)
  local keep = require "fal.keep"
  local items = { item(1, "2026-10-24T21:59:59Z"),   -- the 24th, 23:59:59
                  item(2, "2026-10-24T22:00:00Z"),   -- the 25th, 00:00
                  item(3, "2026-10-25T00:30:00Z"),   -- 02:30, summer
                  item(4, "2026-10-25T01:30:00Z"),   -- 02:30, winter
                  item(5, "2026-10-25T22:59:59Z"),   -- the 25th, 23:59:59
                  item(6, "2026-10-25T23:00:00Z") }  -- the 26th
  local zone = "Europe/Berlin"
  equal(kept(keep.any { daily = 9, zone = zone }, items), "1 5 6")
  equal(kept(keep.any { hourly = 9, zone = zone }, items), "1 2 4 5 6")
  equal(kept(keep.any { daily = 9 }, items), "2 6")
  equal(why(keep.any { hourly = 3, zone = zone }, items)[4],
        "hourly 3 (2026-10-25 02:00)")
end)

test("a day of 23 hours is one day", function(world)
  berlin(world)
  local keep = require "fal.keep"
  local items = { item(1, "2026-03-28T22:59:59Z"),
                  item(2, "2026-03-28T23:00:00Z"),
                  item(3, "2026-03-29T21:59:59Z"),
                  item(4, "2026-03-29T22:00:00Z") }
  equal(kept(keep.any { daily = 9, zone = "Europe/Berlin" }, items), "1 3 4")
end)

test("weeks begin on Monday, and belong to the year of their Thursday",
     function()
  local keep = require "fal.keep"
  local function week(at)
    return why(keep.any { weekly = 1 }, { item(1, at) })[1]
  end
  equal(week "2025-12-28T23:59:59Z", "weekly 1 (2025-W52)")
  equal(week "2025-12-29", "weekly 1 (2026-W01)")
  equal(week "2026-01-04T23:59:59Z", "weekly 1 (2026-W01)")
  equal(week "2026-01-05", "weekly 1 (2026-W02)")
  equal(week "2026-12-31", "weekly 1 (2026-W53)")
  equal(week "2027-01-03", "weekly 1 (2026-W53)")
  equal(week "2024-12-30", "weekly 1 (2025-W01)")
  equal(week "1970-01-01", "weekly 1 (1970-W01)")
  local items = { item(1, "2025-12-29"), item(2, "2026-01-01"),
                  item(3, "2026-01-05") }
  equal(kept(keep.any { weekly = 9 }, items), "2 3")
end)

test("every day of a cycle is in the week, month and year of os.date",
     function()
  local periods = require "fal.periods"
  local before = {}
  for day = -400, 146097 + 400 do
    local at = day * DAY + day * 7919 % DAY
    local seconds = at // 1000
    for name, format in pairs(FORMATS) do
      local text = os.date(format, seconds)
      local period = periods.of[name](at)
      local old = before[name]
      assert(not old or (old.text == text) == (old.period == period), text)
      assert(not old or period >= old.period, text)
      before[name] = { text = text, period = period }
    end
    equal(periods.name.weekly(at), os.date("!%G-W%V", seconds))
  end
end)

test("by and zone reach into nested rules that name none", function()
  local keep = require "fal.keep"
  local items = { item(1, "2026-05-01T01:00:00Z", "a/b"),
                  item(2, "2026-05-01T23:00:00Z", "a/b"),
                  item(3, "2026-05-02T01:00:00Z", "c/d") }
  equal(kept(keep.any { keep.any { last = 1 }, by = "endpoint_id" }, items),
        "2 3")
  equal(kept(keep.any { keep.any { last = 1, by = "status_code" },
                        by = "endpoint_id" }, items), "3")
  equal(kept(keep.any { keep.any { daily = 9 }, zone = "+02:00" }, items),
        "1 3")
  equal(kept(keep.any { keep.any { daily = 9, zone = "UTC" },
                        zone = "+02:00" }, items), "2 3")
  local shared = keep.any { last = 1 }
  equal(kept(keep.any { keep.any { shared, by = "endpoint_id" }, shared },
             items), "2 3")
end)

test("by a function, which may wait and is asked once an item",
     function(world)
  local keep = require "fal.keep"
  local asked = {}
  local function by(request)
    world.pause()
    asked[#asked + 1] = request.request_id
    return ({ "x", nil, 1, "1", false, true, nil, 1.0 })[
      tonumber(request.request_id:sub(-2), 16)]
  end
  local items = {}
  for n = 1, 8 do
    items[n] = item(n, n * DAY)
  end
  local reasons = why(keep.any { last = 1, daily = 1, by = by }, items)
  equal(#asked, 8)
  equal(reasons[1], "last 1 of x; daily 1 (1970-01-02) of x")
  equal(reasons[2], nil)
  equal(reasons[3], nil)                -- 1 and 1.0 are the same number
  t.has(reasons[4], "last 1 of 1;")
  t.has(reasons[5], "last 1 of false;")
  t.has(reasons[7], "last 1 of those without a group;")
end)

test("a function that gives no group is told with the request", function()
  local keep = require "fal.keep"
  for _, value in ipairs { {}, print, 0 / 0 } do
    local rule = keep.all { last = 1, by = function() return value end }
    local err = raises("bad argument 'by' to 'fal.keep.all'", why, rule,
                       { item(7, DAY) })
    t.has(err, t.id(7))
  end
  local odd = item(7, DAY, {})
  raises("endpoint_id is a table for request", why,
         keep.any { last = 1, by = "endpoint_id" }, { odd })
  local rule = keep.any { last = 1, by = function() error("mine", 0) end }
  raises("mine", why, rule, { item(1, DAY) })
end)

test("items without a value are a group; groups are shown clean", function()
  local keep = require "fal.keep"
  local items = { item(1, DAY, "a\27[2J"), item(2, 2 * DAY) }
  items[2].request.endpoint_id = nil
  local reasons = why(keep.any { last = 1, by = "endpoint_id" }, items)
  equal(reasons, { "last 1 of a?[2J", "last 1 of those without endpoint_id" })
end)

test("what has no known end is kept, and counts for no rule", function()
  local keep = require "fal.keep"
  local items = { item(1, DAY), item(2, DAY), item(3, 2 * DAY) }
  local keeping = require "fal.keeping".new(keep.all { last = 1,
                                                      within = "1d" })
  keeping:add(1, items[1].request, nil)
  keeping:add(2, items[2].request, DAY)
  equal(keeping:finish(DAY), { "when it ended is not known, so no rule can "
                               .. "let it go", "last 1 and within 1d" })
end)

test("what a rule did to the id of a request breaks nothing", function()
  local keep = require "fal.keep"
  local items = { item(1, DAY), item(2, DAY), item(3, 2 * DAY) }
  items[1].request.request_id, items[3].request.request_id = nil, {}
  equal(kept(keep.any { last = 2, daily = 9 }, items), "2 3")
end)

test("each plan begins afresh", function()
  local rule = require "fal.keep".any { last = 1 }
  equal(kept(rule, { item(2, DAY) }), "1")
  equal(kept(rule, { item(1, DAY) }), "1")
end)

test("a zone that can no longer be read stops the plan", function(world)
  berlin(world)
  local rule = require "fal.keep".any { daily = 1, zone = "Europe/Berlin" }
  local keeping = require "fal.keeping".new(rule)
  function world.zone_offset() return nil end
  raises("Europe/Berlin", keeping.add, keeping, 1, item(1, DAY).request, DAY)
end)

-- ---- what is refused ---------------------------------------------------

test("mistakes are named, with what to write instead", function()
  local keep = require "fal.keep"
  local function refuse(words, options)
    raises(words, keep.any, options)
  end
  refuse("a table like { last = 10 } is needed, got nil", nil)
  refuse("got number", 3)
  refuse("got a rule", keep.any { last = 1 })
  refuse("the rule is empty", {})
  refuse("the rule is empty", { by = "endpoint_id", zone = "UTC" })
  refuse("no option \"dayly\"; did you mean 'daily'?", { dayly = 1 })
  refuse("there is no option \"count\"; the options are", { count = 1 })
  refuse("value without a name", { [true] = 1, last = 1 })
  for _, n in ipairs { 0, -1, 1.5, "7", 2000000000, 0 / 0, true } do
    refuse("bad argument 'daily'", { daily = n })
  end
  refuse("not the bare number 30", { within = 30 })
  refuse("not a duration", { within = "30 days" })
  refuse("keeps nothing", { within = "0s" })
  refuse("every item is a group of its own", { last = 1, by = "request_id" })
  refuse("did you mean 'endpoint_id'", { last = 1, by = "endpont_id" })
  refuse("the fields are: endpoint_id, status_code", { last = 1, by = "user" })
  refuse("bad argument 'by'", { last = 1, by = {} })
  refuse("package tzdata", { last = 1, zone = "Mars/Olympus" })
  refuse("bad argument 'zone'", { last = 1, zone = 2 })
  refuse("entry 1 is a plain table", { { last = 1 } })
  refuse("entry 2 is missing", { keep.any { last = 1 },
                                 [3] = keep.any { last = 2 } })
  refuse("entry 1 is \"last\"", { "last" })
  raises("'fal.keep.all'", keep.all, {})
end)

test("a rule, or a table that means any", function()
  local keep = require "fal.keep"
  local rule = keep.all { last = 1 }
  assert(keep.rule(rule, "policy", "keep") == rule)
  equal(tostring(keep.rule({ last = 3 }, "policy", "keep")), "any of: last 3")
  raises("bad argument 'keep' to 'fal.policy'", keep.rule, 3, "policy",
         "keep")
  raises("'fal.keep.any'", keep.rule, { lst = 3 }, "policy", "keep")
end)

test("a rule is read-only and does not follow its table", function()
  local keep = require "fal.keep"
  local options = { last = 1 }
  local rule = keep.any(options)
  options.last = 9
  equal(tostring(rule), "any of: last 1")
  raises("cannot be changed", function() rule.last = 3 end)
  equal(rule.last, nil)
  equal(getmetatable(rule), "a keep rule")
end)

test("a rule is told in words", function()
  local keep = require "fal.keep"
  local function words(wanted, rule)
    equal(keep.describe(rule), wanted)
    equal(tostring(rule), wanted)
  end
  words("any of: last 100, daily 7; by endpoint_id; zone UTC",
        keep.any { last = 100, daily = 7, by = "endpoint_id" })
  words("any of: last 10, (all of: daily 7, within 30d); zone UTC",
        keep.any { last = 10, keep.all { daily = 7, within = "30d" } })
  words("all of: last 1, (any of: hourly 2; by a function; zone +02:00); "
        .. "zone UTC", keep.all { last = 1, keep.any { hourly = 2,
        by = function() end, zone = "+02:00" } })
  words("any of: within 30d", keep.any { within = "30d" })
end)

test("the horizon of rules that only know within", function()
  local keep = require "fal.keep"
  equal(keep.horizon(keep.any { within = "30d" }), 30 * DAY)
  equal(keep.horizon(keep.any { within = "1d",
                                keep.any { within = "2d" } }), 2 * DAY)
  equal(keep.horizon(keep.all { within = "1d",
                                keep.any { within = "2d" } }), DAY)
  equal(keep.horizon(keep.any { last = 1, within = "1d" }), nil)
  equal(keep.horizon(keep.all { keep.any { daily = 1 },
                                within = "1d" }), nil)
end)

t.finish()
