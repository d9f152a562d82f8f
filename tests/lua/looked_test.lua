--- since = "last": what is left of a span, and what is recorded at the end.
local t = require "support"
local test, equal = t.test, t.equal

local HOUR <const> = 3600000

local function row(endpoint, from, to, account)
  return { endpoint = endpoint, from_ms = from * HOUR, to_ms = to * HOUR,
           run = 1, options = { account = account } }
end

--- "0-10 20-30" in hours.
local function left(group, to, overlap)
  local parts = {}
  for i, span in ipairs(require "fal.looked".left(group, { from = 0,
    to = to * HOUR }, overlap * HOUR)) do
    parts[i] = ("%g-%g"):format(span.from / HOUR, span.to / HOUR)
  end
  return table.concat(parts, " ")
end

test("nothing was looked at: all is left", function()
  equal(left({ "a" }, 100, 48), "0-100")
end)

test("what was looked at is left out, but for the overlap", function(world)
  world.looked = { row("a", 0, 90) }
  equal(left({ "a" }, 100, 48), "42-100")
  equal(left({ "a" }, 100, 0), "90-100")
  equal(left({ "a" }, 80, 0), "")
  equal(left({ "a" }, 200, 100), "0-200")
end)

test("it counts when it was looked at for each endpoint", function(world)
  world.looked = { row("a", 0, 90), row("b", 10, 60) }
  equal(left({ "a" }, 100, 0), "90-100")
  equal(left({ "a", "b" }, 100, 0), "0-10 60-100")
  equal(left({ "a", "c" }, 100, 0), "0-100")
end)

test("neighbours are one", function(world)
  world.looked = { row("a", 50, 90), row("a", 0, 50) }
  equal(left({ "a" }, 100, 10), "80-100")
end)

test("a hole of a few seconds is no end", function(world)
  local second = 1 / 3600
  world.looked = { row("a", 0, 50), row("a", 50 + 3 * second, 90) }
  world.looked[2].from_ms = 50 * HOUR + 3000
  local spans = require "fal.looked".left({ "a" }, { from = 0,
    to = 100 * HOUR }, 10 * HOUR)
  equal(spans, { { from = 50 * HOUR, to = 50 * HOUR + 3000 },
                 { from = 80 * HOUR, to = 100 * HOUR } })
  world.looked[2].from_ms = 50 * HOUR + 61000
  spans = require "fal.looked".left({ "a" }, { from = 0, to = 100 * HOUR },
                                    10 * HOUR)
  equal(spans[1], { from = 40 * HOUR, to = 50 * HOUR + 61000 })
end)

test("another account has looked at nothing", function(world)
  world.looked = { row("a", 0, 90, "c0ffee") }
  equal(left({ "a" }, 100, 0), "0-100")
  world.core.account = "c0ffee"
  equal(left({ "a" }, 100, 0), "90-100")
  world.core.account = "decaf"
  equal(left({ "a" }, 100, 0), "0-100")
end)

test("at most twenty pieces are left out, the longest", function(world)
  for i = 0, 29 do
    world.looked[i + 1] = row("a", i * 10, i * 10 + 1 + i % 7)
  end
  local spans = require "fal.looked".left({ "a" }, { from = 0,
    to = 300 * HOUR }, 0)
  equal(#spans <= 21, true)
  local sum = 0
  for _, span in ipairs(spans) do
    sum = sum + span.to - span.from
  end
  equal(sum < 220 * HOUR, true)
end)

test("what is recorded takes in what is beside it", function(world)
  local looked = require "fal.looked"
  world.looked = { row("a", 0, 50), row("b", 70, 80) }
  looked.reset()
  looked.note({ "a", "b" }):take(nil, 0, 1)
  world.pieces = { { from_ms = 45 * HOUR, to_ms = 60 * HOUR, rows = 3 } }
  looked.record()
  equal(#world.records, 2)
  equal({ world.records[1].endpoint, world.records[1].from_ms,
          world.records[1].to_ms, world.records[1].rows },
        { "a", 0, 60 * HOUR, 3 })
  equal({ world.records[2].endpoint, world.records[2].from_ms,
          world.records[2].to_ms }, { "b", 45 * HOUR, 60 * HOUR })
  looked.record()
  equal(#world.records, 2)
end)

test("what is recorded already is not recorded again", function(world)
  local looked = require "fal.looked"
  world.looked = { row("a", 0, 50), row("b", 0, 50, "c0ffee") }
  looked.reset()
  looked.note({ "a", "b" }):take(nil, 0, 1)
  world.pieces = { { from_ms = 0, to_ms = 50 * HOUR, rows = 3 },
                   { from_ms = 60 * HOUR, to_ms = 70 * HOUR, rows = 1 } }
  looked.record()
  local told = {}
  for i, one in ipairs(world.records) do
    told[i] = one.endpoint .. " " .. one.to_ms // HOUR
  end
  equal(told, { "a 70", "b 50", "b 70" })
end)

test("a plan notes nothing", function(world)
  world.core.mode = "plan"
  equal(require "fal.looked".note { "a" }, nil)
end)

test("options that do not go together", function()
  local new = require "fal.selection".new
  local function with(options)
    options.endpoint_id = "a/b"
    return new(options)
  end
  equal(with { since = "last" }.overlap, 48 * HOUR)
  equal(with { since = "last", overlap = "0s" }.overlap, 0)
  equal(with {}.overlap, nil)
  t.raises("since = \"last\"", with, { overlap = "1h" })
  t.raises("leave one of them out", with, { since = "last",
                                            start = "2026-01-01" })
  t.raises("choose in where", with, { since = "last", status = "success" })
  t.raises("since", with, { since = "yesterday" })
end)

t.finish()
