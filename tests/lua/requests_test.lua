--- fal.requests: selections, windows, pages, rows.
local t = require "support"
local test, equal, id, item = t.test, t.equal, t.id, t.item

local START <const> = "2026-01-01T00:00:00Z"

local function list(options)
  options.endpoint_id = options.endpoint_id or "a/b"
  return require "fal.requests".list(options)
end

--- Answers every window from one history: rows sorted by time, in pages.
local function serve(world, items, per_page)
  per_page = per_page or 100
  world.answer = function(call)
    local from = world.core.parse_time(call.query.start)
    local to = world.core.parse_time(call.query["end"])
    local rows, page = {}, tonumber(call.query.cursor or "1")
    for _, row in ipairs(items) do
      local at = world.core.parse_time(row.ended_at)
      if at >= from and at < to then
        rows[#rows + 1] = row
      end
    end
    local picked = table.move(rows, (page - 1) * per_page + 1,
                              math.min(page * per_page, #rows), 1, {})
    local more = page * per_page < #rows
    return { items = picked, has_more = more,
             next_cursor = more and tostring(page + 1) or world.null }
  end
end

local function ids(requests)
  local found = {}
  for i, request in ipairs(requests) do
    found[i] = request.request_id
  end
  return found
end

test("both ends are sent, pinned, with Z", function(world)
  local next_request = list { older_than = "30d" }
  world.now = 5 * 86400000
  t.all(next_request)
  equal(#world.calls, 1)
  local query = world.calls[1].query
  equal(query.start, "2021-01-01T00:00:00Z")
  equal(query["end"], "2026-01-30T00:00:00Z")
  equal(query.limit, 100)
  equal(world.calls[1].key, "list")
end)

test("a start is sent as given and kept by ended_at", function(world)
  world.answer = function()
    return { items = { item(1, -1), item(2, 0), item(3, 1) },
             has_more = false, next_cursor = world.null }
  end
  local rows = t.all(list { start = START, ["end"] = "2026-02-01" })
  equal(world.calls[1].query.start, "2026-01-01T00:00:00Z")
  equal(ids(rows), { id(2), id(3) })
end)

test("what ended at or after the end is left out", function(world)
  world.answer = function()
    return { items = { item(1, 9), item(2, 10), item(3, 11) },
             has_more = false, next_cursor = world.null }
  end
  local rows = t.all(list { ["end"] = "2026-01-01T00:00:10Z" })
  equal(ids(rows), { id(1) })
end)

test("older_than and end: the earlier counts", function(world)
  t.all(list { older_than = "30d", ["end"] = "2026-01-02" })
  t.all(list { older_than = "80d", ["end"] = "2026-01-02" })
  equal(world.calls[1].query["end"], "2026-01-02T00:00:00Z")
  equal(world.calls[2].query["end"], "2025-12-11T00:00:00Z")
end)

test("oldest first, ties by id, null fields are nil", function(world)
  world.answer = function()
    return { items = { item(3, 5, { status_code = world.null }),
                       item(2, 5), item(9, 1) },
             has_more = false, next_cursor = world.null }
  end
  local rows = t.all(list {})
  equal(ids(rows), { id(9), id(2), id(3) })
  equal(rows[3].status_code, nil)
  equal(rows[1].duration, 1.5)
end)

test("what has no ended_at is never selected, and counted", function(world)
  world.answer = function()
    return { items = { item(1, 1, { ended_at = world.null }), item(2, 2) },
             has_more = false, next_cursor = world.null }
  end
  equal(ids(t.all(list {})), { id(2) })
  t.has(world.log[1].text, "left out: 1 request that may")
  equal(ids(t.all(list { older_than = "1d" })), { id(2) })
  t.has(world.log[2].text, "left out: 1 request that may")
end)

test("an offset becomes Z", function(world)
  world.answer = function()
    return { items = { item(1, 1,
               { ended_at = "2026-01-01T02:00:00+02:00" }) },
             has_more = false, next_cursor = world.null }
  end
  equal(t.all(list {})[1].ended_at, "2026-01-01T00:00:00Z")
end)

test("a window is read whole before its first item", function(world)
  local items = {}
  for n = 1, 250 do
    items[n] = item(n)
  end
  serve(world, items)
  local next_request = list {}
  next_request()
  equal(#world.calls, 3)
  equal(#t.all(next_request), 249)
  equal(#world.calls, 3)
end)

test("rows that shift between pages come once", function(world)
  local pages = {
    { items = { item(1), item(2) }, has_more = true, next_cursor = "2" },
    { items = { item(2), item(3) }, has_more = false,
      next_cursor = world.null },
  }
  world.answer = function() return table.remove(pages, 1) end
  equal(ids(t.all(list {})), { id(1), id(2), id(3) })
end)

--- The windows that were asked for, as "from to" of the day's time.
local function spans(world)
  local found = {}
  for _, call in ipairs(world.calls) do
    if not call.query.cursor then
      found[#found + 1] = call.query.start:sub(12, 19) .. " "
        .. call.query["end"]:sub(12, 19)
    end
  end
  return found
end

local function all_in_order(rows, count)
  equal(#rows, count)
  for n = 1, count do
    equal(rows[n].request_id, id(n))
  end
end

test("more than 100 pages: cut where the part should fit, oldest first",
     function(world)
  local items = {}
  for n = 1, 300 do
    items[n] = item(n, n * 10)
  end
  serve(world, items, 1)
  all_in_order(t.all(list { start = START,
                            ["end"] = "2026-01-01T01:00:00Z" }), 300)
  equal(spans(world), { "00:00:00 01:00:00", "00:00:00 00:13:21",
    "00:13:21 01:00:00", "00:13:21 00:26:22", "00:26:22 01:00:00",
    "00:26:22 00:39:03", "00:39:03 01:00:00", "00:39:03 00:51:24",
    "00:51:24 01:00:00" })
end)

test("newest first: the part is cut from the other end", function(world)
  local items = {}
  for n = 1, 300 do
    items[n] = item(301 - n, (301 - n) * 10)
  end
  serve(world, items, 1)
  all_in_order(t.all(list { start = START,
                            ["end"] = "2026-01-01T00:50:01Z" }), 300)
  local found = spans(world)
  equal(found[1], "00:00:00 00:50:01")
  equal(found[2]:sub(1, 8), "00:00:00")         -- the rest of it
  equal(#world.calls < 300 + 5 * #found, true)
end)

test("in no order: read to page 100, and halved", function(world)
  local items = {}
  for n = 1, 300 do                     -- 7 has no factor with 300
    items[n] = item(n * 7 % 300 + 1, (n * 7 % 300 + 1) * 10)
  end
  serve(world, items, 1)
  all_in_order(t.all(list { start = START,
                            ["end"] = "2026-01-01T00:50:01Z" }), 300)
  equal(spans(world)[2], "00:00:00 00:25:00")
end)

test("exactly 100 pages are one window", function(world)
  local items = {}
  for n = 1, 100 do
    items[n] = item(n)
  end
  serve(world, items, 1)
  equal(#t.all(list {}), 100)
  equal(#world.calls, 100)
end)

test("a second holds up to 1,000 pages, then raises", function(world)
  local items = {}
  for n = 1, 1001 do
    items[n] = item(n, 0)
  end
  serve(world, items, 1)
  local options = { start = START, ["end"] = "2026-01-01T00:00:01Z" }
  t.raises("more than 1000 pages", t.all, list(options))
  items[1001] = nil
  equal(#t.all(list(options)), 1000)
end)

test("doubles of two neighbouring windows come once", function(world)
  local edge = item(500, 0, { ended_at = "2026-01-01T00:00:30Z" })
  world.answer = function(call)
    local wide = call.query["end"] == "2026-01-01T00:02:00Z"
      and call.query.start == "2021-01-01T00:00:00Z"
    local n = tonumber(call.query.cursor or "1")
    local row = wide and item(n, n / 10) or edge
    return { items = { row }, has_more = wide,
             next_cursor = wide and tostring(n + 1) or world.null }
  end
  equal(ids(t.all(list { ["end"] = "2026-01-01T00:02:00Z" })), { id(500) })
end)

test("cursor trouble raises and is not a short list", function(world)
  local function page(fields)
    local answer = { items = { item(1) }, has_more = true,
                     next_cursor = "x" }
    for name, value in pairs(fields) do
      answer[name] = value
    end
    world.answer = function() return answer end
    return list {}
  end
  t.raises("the same next_cursor came twice", t.all,
           page { items = {} })
  t.raises("there is no next_cursor", t.all, page { next_cursor = world.null })
  t.raises("there is no next_cursor", t.all, page { next_cursor = "" })
  t.raises("has_more is a string", t.all, page { has_more = "yes" })
  t.raises("has_more is missing", t.all, page { has_more = world.null })
  t.raises("next_cursor is a number", t.all, page { next_cursor = 3 })
  equal(#t.all(page { has_more = false }), 1)
end)

test("a page that comes twice raises", function(world)
  local n = 0
  world.answer = function()
    n = n + 1
    return { items = { item(1), item(2) }, has_more = n < 5,
             next_cursor = tostring(n) }
  end
  t.raises("a page came twice", t.all, list {})
end)

test("rows that are not as documented raise with their place",
     function(world)
  local function row(fields)
    world.answer = function()
      return { items = { item(1), item(2, 2, fields) }, has_more = false,
               next_cursor = world.null }
    end
    return list {}
  end
  t.raises("items[2].ended_at is a number", t.all, row { ended_at = 7 })
  t.raises("items[2].ended_at is a string, not a time", t.all,
           row { ended_at = "yesterday" })
  t.raises("items[2].status_code is a string", t.all,
           row { status_code = "200" })
  t.raises("not a whole number", t.all, row { status_code = 200.5 })
  t.raises("items[2].request_id is a number", t.all, row { request_id = 5 })
  t.raises("items[2].request_id is a string, not a UUID", t.all,
           row { request_id = "../x" })
  t.raises("items[2].endpoint_id is missing", t.all,
           row { endpoint_id = world.null })
  t.raises("items[2].endpoint_id was not asked for", t.all,
           row { endpoint_id = "c/d" })
  t.raises("items[2].sent_at is a boolean", t.all, row { sent_at = true })
  t.raises("items[2].duration is an object", t.all, row { duration = {} })
end)

test("answers that are no lists raise", function(world)
  local function answer(value)
    world.answer = function() return value end
    return list {}
  end
  t.raises("it is a string", t.all, answer("hello"))
  t.raises("items is missing", t.all, answer { has_more = false })
  t.raises("items is an object", t.all,
           answer { items = { a = 1 }, has_more = false })
  t.raises("items[1] is a string", t.all,
           answer { items = { "x" }, has_more = false })
end)

test("a failed page raises its error, and again when asked", function(world)
  world.answer = function()
    return nil, world.core.error("unavailable", "the API is down")
  end
  local next_request = list {}
  local err = t.raises("the API is down", next_request)
  equal(err.kind, "unavailable")
  t.raises("this list failed before", next_request)
end)

test("a list that ended stays ended", function(world)
  local next_request = list {}
  equal(next_request(), nil)
  equal(next_request(), nil)
  equal(#world.calls, 1)
end)

test("endpoints go in groups of 50, without doubles", function(world)
  local endpoints = {}
  for n = 1, 120 do
    endpoints[n] = "a/" .. n
  end
  endpoints[121] = "a/1"
  t.all(list { endpoint_id = endpoints })
  equal(#world.calls, 3)
  equal(#world.calls[1].endpoints, 50)
  equal(#world.calls[3].endpoints, 20)
  equal(world.calls[2].endpoints[1], "a/51")
end)

test("a status that the API ignored is checked again", function(world)
  world.answer = function()
    return { items = { item(1), item(2, 2, { status_code = 500 }),
                       item(3, 3, { status_code = world.null }) },
             has_more = false, next_cursor = world.null }
  end
  equal(ids(t.all(list { status = "error" })), { id(2), id(3) })
  equal(ids(t.all(list { status = "success" })), { id(1), id(3) })
  equal(world.calls[1].query.status, "error")
end)

test("wrong options raise before anything is read", function(world)
  local requests = require "fal.requests"
  local function refuse(sentence, options)
    t.raises(sentence, requests.list, options)
  end
  refuse("did you mean 'older_than'?", { endpoint_id = "a", oldr_than = 1 })
  refuse("the options are", { endpoint_id = "a", sent_at = "last" })
  refuse("name one, a list, or \"auto\"", {})
  refuse("the list is empty", { endpoint_id = {} })
  refuse("stands alone", { endpoint_id = { "a", "auto" } })
  refuse("written as a list", { endpoint_id = "a,b" })
  refuse("not the bare number 30", { endpoint_id = "a", older_than = 30 })
  refuse("not a duration: \"30 days\"",
         { endpoint_id = "a", older_than = "30 days" })
  refuse("not a time", { endpoint_id = "a", start = "yesterday" })
  refuse("is in the future", { endpoint_id = "a", ["end"] = "2027-01-01" })
  refuse("the window is empty", { endpoint_id = "a", start = "2027-01-01" })
  refuse("the window is empty", { endpoint_id = "a", start = "2026-02-20",
                                  older_than = "30d" })
  refuse("the window is empty", { endpoint_id = "a", older_than = "9999d" })
  refuse("(did you mean 'error'?)", { endpoint_id = "a", status = "eror" })
  refuse("from 1 to 100", { endpoint_id = "a", limit = 101 })
  refuse('"x" is no id', { endpoint_id = "a", request_id = "x" })
  refuse("a table is needed", "a/b")
  equal(#world.calls, 0)
end)

test("two tasks at one list are told", function(world)
  local next_request = list {}
  local task = world.core.spawn(next_request)
  world.pause()
  t.raises("another task is reading it", next_request)
  task:wait()
end)

t.finish()
