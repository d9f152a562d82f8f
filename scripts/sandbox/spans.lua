--- Which requests a list holds, and in which order.
---
--- Numbers are in time order and endpoints repeat with a period, so that a
--- page far into a million requests is found by arithmetic (`periodic`).
--- Filters that need a look at each row walk the window (`walked`), giving
--- way to other requests now and then; the last walk is kept for the next
--- page. A world of explicit rows (fixture.lua, `world.explicit`) has no
--- period and requests of any length: it is small, and always walked whole.
local core = require "core"

local spans = {}

local SLACK <const> = 60000             -- more than any request took
local STRIDE <const> = 5000

--- Called with each step of a long walk: lets other requests go on.
function spans.give_way(step)
  if step % STRIDE == 0 then
    core.sleep(0)
  end
end

--- The first and last of the numbers whose end is in [start, stop).
function spans.range(world, start, stop)
  local first, last = world:number_at(start), world:number_at(stop) - 1
  while first > 1 and world:ended(first - 1) >= start do
    first = first - 1
  end
  while last < world.count and world:ended(last + 1) < stop do
    last = last + 1
  end
  while last >= first and world:ended(last) >= stop do
    last = last - 1
  end
  return first, last
end

--- The places of the endpoints in the period, each once, in order; of all
--- endpoints without a list.
function spans.places(world, endpoints)
  local places, seen = {}, {}
  for _, name in ipairs(endpoints or world.config.endpoints) do
    local place = world.index[name]
    if place and not seen[place] then
      places[#places + 1], seen[place] = place, true
    end
  end
  table.sort(places)
  return places, seen
end

--- How many of the numbers up to `number` are of these places.
local function rank(world, places, number)
  local period = #world.config.endpoints
  local full, rest = number // period, number % period
  local count = full * #places
  for _, place in ipairs(places) do
    count = count + (place <= rest and 1 or 0)
  end
  return count
end

--- How many of the numbers are of these places, one by one.
local function counted(world, first, last, places)
  local wanted, count = {}, 0
  for _, place in ipairs(places) do
    wanted[place] = true
  end
  for number = first, last do
    count = count + (wanted[world:place(number)] and 1 or 0)
  end
  return count
end

function spans.count(world, first, last, places)
  if world.explicit then
    return counted(world, first, last, places)
  end
  return last < first and 0 or
    rank(world, places, last) - rank(world, places, first - 1)
end

--- A list of numbers by position, computed: total and at(position).
local function periodic(world, first, last, places)
  local period, below = #world.config.endpoints, rank(world, places, first - 1)
  return spans.count(world, first, last, places), function(position)
    local q = below + position
    return (q - 1) // #places * period + places[(q - 1) % #places + 1]
  end
end

--- Numbers by how long they took; equals stay in order.
local function by_any_duration(world, numbers)
  table.sort(numbers, function(a, b)
    local first, second = world:took(a), world:took(b)
    return first < second or first == second and a < b
  end)
  return numbers
end

--- The same, counted: it may be a million of them.
local function by_duration(world, numbers)
  local starts, sorted, sum = {}, {}, 1
  for i, number in ipairs(numbers) do
    local took = world:took(number)
    starts[took] = (starts[took] or 0) + 1
    spans.give_way(i)
  end
  for took = 0, world.LONGEST do
    starts[took], sum = sum, sum + (starts[took] or 0)
  end
  for i, number in ipairs(numbers) do
    local took = world:took(number)
    sorted[i] = false                   -- it grows as a list
    spans.give_way(i)
    numbers[i] = number | starts[took] << 32
    starts[took] = starts[took] + 1
  end
  for _, both in ipairs(numbers) do
    sorted[both >> 32] = both & 0xffffffff
  end
  return sorted
end

local function walk(world, ask, keep)
  local numbers = {}
  local _, wanted = spans.places(world, ask.endpoints)
  local first, last = 1, world.count
  if not world.explicit then
    first, last = spans.range(world, ask.start - SLACK, ask.stop + SLACK)
  end
  for number = first, last do
    if wanted[world:place(number)] and keep(number) then
      numbers[#numbers + 1] = number
    end
    spans.give_way(number)
  end
  local sorted = world.explicit and by_any_duration or by_duration
  return ask.by_duration and sorted(world, numbers) or numbers
end

local STATUS <const> = {
  success = function(status) return status < 400 end,
  user_error = function(status) return status >= 400 and status < 500 end,
  error = function(status) return status >= 500 end,
}

function spans.knows_status(name)
  return STATUS[name] ~= nil
end

--- The time that windows look at.
local function when(world, number, field)
  if field == "ended_at" then
    return world:ended(number)
  end
  return world:sent(number) +
    (field == "started_at" and world:queued(number) or 0)
end

--- What a number must meet to be in the list, its endpoint aside.
function spans.filter(state, ask)
  local world, switches = state.world, state.switches
  local late = state.faults.share("late-rows")
  local status = STATUS[ask.status]
  return function(number)
    local at = when(world, number, switches.window_field)
    return at >= ask.start and at < ask.stop
      and (not status or not world:running(number)
           and status(world:status(number)))
      and not (switches.deleted_rows == "vanish" and world:is_gone(number))
      and not (late and state.faults.late(number, state.listed))
  end
end

--- True when only a look at each row can tell.
local function must_walk(state, ask)
  return state.world.explicit or ask.status or ask.by_duration
    or state.faults.share("late-rows")
    or state.switches.deleted_rows == "vanish"
    or state.switches.window_field ~= "ended_at"
end

local function walked(state, ask)
  local name = table.concat({ ask.start, ask.stop, ask.status or "",
    tostring(ask.by_duration), table.concat(ask.endpoints or {}, ",") }, " ")
  local late = state.faults.share("late-rows")
  local age = ("%d:%d:%d"):format(state.world.deletions, state.world.count,
                                  late and state.listed or 0)
  local kept = state.walk
  if not kept or kept.name ~= name or kept.age ~= age then
    kept = { name = name, age = age,
             numbers = walk(state.world, ask, spans.filter(state, ask)) }
    state.walk = kept
  end
  return #kept.numbers, function(position) return kept.numbers[position] end
end

--- The list: how many, and the number at a position.
---@param ask {start:integer, stop:integer, endpoints:string[]?,
---  status:string?, by_duration:boolean?, descending:boolean}
function spans.find(state, ask)
  local world = state.world
  local total, at
  if must_walk(state, ask) then
    total, at = walked(state, ask)
  else
    local first, last = spans.range(world, ask.start, ask.stop)
    total, at = periodic(world, first, last,
                         spans.places(world, ask.endpoints))
  end
  return total, not ask.descending and at or function(position)
    return at(total + 1 - position)
  end
end

return spans
