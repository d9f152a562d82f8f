--- Streams of events: what ends them, what they go on from, what raises.
local t = require "support"
local test, equal, has = t.test, t.equal, t.has

local fake = require "fake"

local ROW <const> = { name = "serverless.logs.stream", method = "POST",
                      path = "/serverless/logs/stream", key = "api" }

--- Connections, one after the other: each a list of texts and at last true
--- (it ends whole) or an error; or an error alone, or {status =, type =}.
local function play(world, connections)
  world.opened, world.closed, world.slept, world.marks = {}, 0, {}, {}
  local sleep = world.sleep or world.core.sleep
  world.sleep = sleep
  world.core.sleep = function(ms)
    world.slept[#world.slept + 1] = ms > 0 and ms or nil
    sleep(ms)
  end
  world.core.mark = function(what, sentence)
    world.marks[#world.marks + 1] = what .. ": " .. sentence
  end
  world.core.json.decode = function(text)
    return text:match "^{(%d+)}$" and { n = tonumber(text:match "%d+") }
  end
  world.core.stream = function(call)
    world.opened[#world.opened + 1] = call
    world.pause()
    local one, at = connections[#world.opened], 0
    assert(one, "one connection too many")
    if one.code then
      return nil, one
    end
    return {
      status = function() return one.status or 200 end,
      header = function() return one.type or "text/event-stream" end,
      close = function() world.closed = world.closed + 1 end,
      read = function()
        world.pause()
        at = at + 1
        assert(one[at] ~= nil, "read behind the end")
        if type(one[at]) == "string" then
          return one[at]
        end
        return nil, one[at] ~= true and one[at] or nil
      end,
    }
  end
end

local function cut()
  return fake.error("dropped", "the answer of fal broke off",
                    { retryable = true })
end

local function stream(query)
  return require("fal.streams").stream(ROW, { path = ROW.path,
    query = query or {}, body = nil, options = {} })
end

local ENDS <const> = { { "end", "2026-01-01" } }

local function data_of(...)
  local list = {}
  for event in ... do
    list[#list + 1] = type(event.data) == "table" and event.data.n or
      event.data
  end
  return list
end

test("events come decoded where they are JSON", function(world)
  play(world, { { "id: 7\nevent: log\ndata: {1}\n\nda", "ta: x\n\n", true } })
  local list = {}
  for event in stream(ENDS) do
    list[#list + 1] = event
  end
  equal(list, { { data = { n = 1 }, event = "log", id = "7" },
                { data = "x", event = "message", id = "7" } })
  equal(world.closed, 1)
  equal(world.opened[1].accept, "text/event-stream")
end)

test("a cut is gone on from the last whole event", function(world)
  play(world, { { "id: 1\ndata: {1}\n\nid: 2\ndata: {2}\n\ndata: {3", cut() },
                { "id: 3\ndata: {3}\n\n", true } })
  equal(data_of(stream(ENDS)), { 1, 2, 3 })
  equal(world.opened[1].last_event_id, nil)
  equal(world.opened[2].last_event_id, "2")
  equal(world.closed, 2)
  equal(world.marks, {})
end)

test("a whole end in the middle of an event is a cut", function(world)
  play(world, { { "id: 1\ndata: {1}\n\ndata: {2}\n", true },
                { "id: 2\ndata: {2}\n\n", true } })
  equal(data_of(stream(ENDS)), { 1, 2 })
end)

test("without an end that was asked for it goes on until 204", function(world)
  play(world, { { "id: 1\ndata: {1}\n\n", true }, { status = 204 } })
  equal(data_of(stream()), { 1 })
  equal(world.opened[2].last_event_id, "1")
end)

test("a cut without ids raises, and says what came", function(world)
  play(world, { { "data: {1}\n\n", cut() } })
  local seen = {}
  local err = t.raises("no id to go on from", function()
    for event in stream(ENDS) do
      seen[#seen + 1] = event.data.n
    end
  end)
  equal(seen, { 1 })
  has(err.message, "the first 1 ")
  equal(#world.marks, 1)
  has(world.marks[1], "unavailable")
  equal(world.closed, 1)
end)

test("so does an end that nobody asked for", function(world)
  play(world, { { "data: {1}\n\n", true } })
  t.raises("though no end was asked for", data_of, stream())
end)

test("ids that fit into no header are none", function(world)
  play(world, { { "id: \xc3\xa9\ndata: {1}\n\n", cut() } })
  t.raises("no id to go on from", data_of, stream(ENDS))
end)

test("before the first event there is nothing to miss", function(world)
  play(world, { { ": x\n\n", cut() }, { "data: {1}\n\n", true } })
  equal(data_of(stream(ENDS)), { 1 })
end)

test("cuts without an event between come to an end", function(world)
  local list = {}
  for i = 1, 6 do
    list[i] = { cut() }
  end
  play(world, list)
  t.raises("broke off", data_of, stream())
  equal(#world.opened, 6)
  equal(world.slept, { 1000, 2000, 4000, 8000, 16000 })
end)

test("an event between them begins the count anew", function(world)
  local list = {}
  for i = 1, 12 do
    list[i] = { ("id: %d\ndata: {%d}\n\n"):format(i, i), cut() }
  end
  list[13] = { status = 204 }
  play(world, list)
  equal(#data_of(stream()), 12)
end)

test("the pause that the server asks for is kept in bounds", function(world)
  for retry, wanted in pairs { [0] = 100, [3000] = 3000,
                               [99999999] = 30000 } do
    play(world, { { ("retry: %d\nid: 1\ndata: {1}\n\n"):format(retry),
                    cut() }, { cut() }, { status = 204 } })
    data_of(stream())
    equal(world.slept, { wanted, math.min(2 * wanted, 30000) })
  end
end)

test("what a repeat cannot cure raises at once", function(world)
  play(world, { { "id: 1\ndata: {1}\n\n",
                  fake.error("stopped", "the run was stopped") } })
  t.raises("the run was stopped", data_of, stream())
  equal(world.marks, {})
  play(world, { fake.error("auth", "fal answered 401") })
  t.raises("fal answered 401", data_of, stream())
end)

test("a break closes it, and so does an error", function(world)
  play(world, { { "data: {1}\n\ndata: {2}\n\n", true } })
  for event in stream(ENDS) do
    if event.data.n == 1 then
      break
    end
  end
  equal(world.closed, 1)
  play(world, { { "data: {1}\n\n", true } })
  t.raises("enough", function()
    for _ in stream(ENDS) do
      error("enough", 0)
    end
  end)
  equal(world.closed, 1)
end)

test("an endless line raises after the events before it", function(world)
  play(world, { { "data: {1}\n\ndata: ", ("x"):rep(1100000), true } })
  local seen = {}
  t.raises("a line has more than", function()
    for event in stream() do
      seen[#seen + 1] = event.data.n
    end
  end)
  equal(seen, { 1 })
end)

test("what is no stream of events is not read as one", function(world)
  for _, kind in ipairs { "text/html", "application/json", "",
                          "text/event-streams" } do
    play(world, { { type = kind, "data: {1}\n\n", true } })
    t.raises("it is no stream of events", data_of, stream())
  end
  play(world, { { type = "Text/Event-Stream; charset=utf-8",
                  "data: {1}\n\n", true } })
  equal(data_of(stream(ENDS)), { 1 })
end)

test("asked again after a failure it fails again", function(world)
  play(world, { { cut(), cut() }, fake.error("not_found", "no") })
  local next_event = stream()
  t.raises("no", next_event)
  t.raises("no", next_event)
  equal(#world.opened, 2)
end)

test("a file needs a name", function(world)
  local arguments = require "fal.arguments"
  local row = { name = "files.get", media = "bytes", params = {} }
  for _, to in ipairs { "a/", ("x"):rep(4001) } do
    t.raises("no name for a file", arguments.options, row, { to = to })
  end
  t.raises("bad argument 'to'", arguments.options, row, {})
  t.raises("replace", arguments.options, row, { to = "a", replace = "yes" })
  local asked
  world.core.download = function(call, to)
    asked = { call, to }
    return { path = to, bytes = 1, resumed = 0 }
  end
  local saved = require("fal.streams").download(ROW, { path = "/x",
    options = { to = "f", replace = true } })
  equal(saved.path, "f")
  equal(asked, { { path = "/x", key = "api", replace = true }, "f" })
end)

t.finish()
