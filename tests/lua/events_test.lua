--- Server-sent events, by the rules of the WHATWG HTML standard.
local t = require "support"
local test, equal = t.test, t.equal

local function reader(options)
  return require("fal.events").reader(options)
end

--- All events of the pieces.
local function read(pieces, options)
  local one, all = reader(options), {}
  for _, piece in ipairs(pieces) do
    local list, why = one:feed(piece)
    assert(list, why)
    table.move(list, 1, #list, #all + 1, all)
  end
  return all, one
end

local function data_of(text)
  local list = {}
  for i, event in ipairs((read { text })) do
    list[i] = event.data
  end
  return list
end

test("the examples of the standard", function()
  equal(data_of "data: YHOO\ndata: +2\ndata: 10\n\n", { "YHOO\n+2\n10" })
  local all, one = read { ": test stream\n\ndata: first event\nid: 1\n\n"
    .. "data:second event\nid\n\ndata:  third event" }
  equal(all, { { data = "first event", event = "message", id = "1" },
               { data = "second event", event = "message", id = "" } })
  equal(one:pending(), true)
  equal(data_of "data\n\ndata\ndata\n\ndata:", { "", "\n" })
  equal(data_of "data:test\n\ndata: test\n\n", { "test", "test" })
end)

test("an event has its type, and only its own", function()
  local all = read { "event: add\ndata: 1\n\ndata: 2\n\n"
    .. "event: x\n\ndata: 3\n\n" }
  equal({ all[1].event, all[2].event, all[3].event },
        { "add", "message", "message" })
end)

test("unknown fields, comments, odd ids and times are passed over", function()
  local all, one = read { "what: 1\n:\ndata x\nretry: 12x\nid: a\0b\n"
    .. "Data: 2\ndata: y\n\nretry: 1500\n\n", }
  equal(all, { { data = "y", event = "message" } })
  equal(one.retry_ms, 1500)
end)

test("the id to go on from is that of the last whole event", function()
  local _, one = read({ "id: 7\ndata: x\n\nid: 8\ndata: y\n" }, { id = "6" })
  equal(one.id, "7")
  one:feed "\n"
  equal(one.id, "8")
  equal(one:pending(), false)
  equal(reader({ id = "6" }).id, "6")
end)

local STREAM <const> = "\xef\xbb\xbfdata: \xc3\xa9\r\n\r\n: c\rid: 1\rdata:a\r"
  .. "data:b\r\revent: e\n\xef\xbb\xbfdata: no\ndata: z\n\r\n\n"
  .. "data: last\r\n\r\n"

test("where the pieces are cut makes no difference", function()
  local wanted = read { STREAM }
  equal(#wanted, 4)
  equal(wanted[1].data, "\xc3\xa9")
  equal(wanted[2].data, "a\nb")
  equal(wanted[3], { data = "z", event = "e", id = "1" })
  for i = 0, #STREAM do
    for k = i, #STREAM do
      equal((read { STREAM:sub(1, i), STREAM:sub(i + 1, k),
                    STREAM:sub(k + 1) }), wanted, i .. " " .. k)
    end
  end
  local bytes = {}
  for i = 1, #STREAM do
    bytes[i] = STREAM:sub(i, i)
  end
  equal((read(bytes)), wanted)
end)

test("an endless line and endless data are errors, and stay so", function()
  local one = reader { line_most = 100 }
  local fed, list, why, before = 0
  repeat
    list, why, before = one:feed(fed == 0 and "data: 1\n\ndata:" or "xxxxxxx")
    fed = fed + 1
  until not list or fed > 100
  assert(fed < 20, fed)
  equal(why, "a line has more than 100 bytes")
  equal(before, {})
  equal(select(2, one:feed "\n\ndata: 2\n\n"), why)
  one = reader { data_most = 100 }
  list, why, before = one:feed("data: 1\n\n"
    .. ("data: 123456789\n"):rep(11))
  equal(list, nil)
  equal(why, "the data of an event has more than 100 bytes")
  equal(#before, 1)
end)

t.finish()
