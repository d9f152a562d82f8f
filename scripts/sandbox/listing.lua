--- The lists: by-endpoint, search, usage, billing events.
---
--- Numbers are in time order and endpoints repeat with a period, so that a
--- page far into a million requests is found by arithmetic (`periodic`).
--- Filters that need a look at each row walk the window instead (`walked`).
local answer = require "sandbox.answer"
local core = require "core"
local query = require "sandbox.query"

local listing = {}

local DAY <const> = 86400000
local SLACK <const> = 60000             -- more than any request took

--- The numbers whose end is in [start, stop).
local function range(world, start, stop)
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

--- The wanted endpoints' places in the period, in order.
local function residues(world, endpoints)
  local places = {}
  for _, name in ipairs(endpoints or world.config.endpoints) do
    places[#places + 1] = world.index[name]
  end
  table.sort(places)
  return places
end

local function rank(world, places, number)
  local period = #world.config.endpoints
  local full, rest = number // period, number % period
  local count = full * #places
  for _, place in ipairs(places) do
    count = count + (place <= rest and 1 or 0)
  end
  return count
end

--- A list of numbers by position, computed: total and at(position).
local function periodic(world, first, last, places, descending)
  local period, below = #world.config.endpoints, rank(world, places, first - 1)
  local top = rank(world, places, last)
  return math.max(top - below, 0), function(position)
    local q = descending and top - position + 1 or below + position
    return (q - 1) // #places * period + places[(q - 1) % #places + 1]
  end
end

--- The same for filters that must see each row.
local function walked(world, first, last, places, keep)
  local period, numbers, wanted = #world.config.endpoints, {}, {}
  for _, place in ipairs(places) do
    wanted[place] = true
  end
  for number = first, last do
    if wanted[(number - 1) % period + 1] and keep(number) then
      numbers[#numbers + 1] = number
    end
  end
  return numbers
end

local STATUS <const> = {
  success = function(status) return status < 400 end,
  user_error = function(status) return status >= 400 and status < 500 end,
  error = function(status) return status >= 500 end,
}

local function when(world, number, field)
  if field == "ended_at" and not world:running(number) then
    return world:ended(number)
  end
  return world:sent(number) + (field == "started_at" and 200 or 0)
end

--- The filter of a listing, or nil when arithmetic alone will do.
local function filter(state, ask)
  local world, switches = state.world, state.switches
  local late = state.faults.share("late-rows")
  local status = STATUS[ask.status]
  if not status and not late and switches.deleted_rows == "stay" and
     switches.window_field == "ended_at" and not ask.by_duration then
    return nil
  end
  return function(number)
    local at = when(world, number, switches.window_field)
    return at >= ask.start and at < ask.stop
      and (not status or not world:running(number)
           and status(world:status(number)))
      and not (switches.deleted_rows == "vanish" and world.gone[number])
      and not (late and state.faults.late(number, state.listed))
  end
end

local function numbers_of(state, ask)
  local world, descending = state.world, state.switches.sort == "desc"
  local places = residues(world, ask.endpoints)
  local keep = filter(state, ask)
  if not keep then
    local first, last = range(world, ask.start, ask.stop)
    return periodic(world, first, last, places, descending)
  end
  local first, last = range(world, ask.start - SLACK, ask.stop + SLACK)
  local numbers = walked(world, first, last, places, keep)
  local function place(number)
    return ask.by_duration and world:took(number) or number
  end
  table.sort(numbers, function(a, b)
    if descending then
      a, b = b, a
    end
    return place(a) < place(b)
  end)
  return #numbers, function(position) return numbers[position] end
end

--- Checks what by-endpoint documents; the question, or nil and why.
local function question(state, one, many)
  local ask = { endpoints = many.endpoint_id, status = one.status }
  local why
  if not ask.endpoints or #ask.endpoints == 0 or #ask.endpoints > 50 then
    return nil, "endpoint_id is required, 1 to 50 of them"
  elseif one.status and not STATUS[one.status] then
    return nil, "status must be success, error or user_error"
  elseif one.sort_by and one.sort_by ~= "ended_at" and
         one.sort_by ~= "duration" then
    return nil, "sort_by must be ended_at or duration"
  elseif one.request_id and not core.parse_id(one.request_id) then
    return nil, "request_id must be a UUID"
  end
  ask.request_id, ask.by_duration = one.request_id, one.sort_by == "duration"
  ask.limit, why = query.integer(one, "limit", 50, 1, 100)
  if ask.limit then
    ask.page, why = query.page(one)
  end
  if not why then
    ask.start, ask.stop, why = query.window(one, one.request_id and 90 * DAY
                                            or DAY)
  end
  for _, part in ipairs(many.expand or {}) do
    ask.payloads = part == "payloads"
  end
  return not why and ask or nil, why
end

local function one_request(state, ask)
  local number = state.world:number(ask.request_id)
  local at = number and when(state.world, number,
                             state.switches.window_field)
  local there = at and at >= ask.start and at < ask.stop
  for _, name in ipairs(there and ask.endpoints or {}) do
    if name == state.world:endpoint(number) then
      return 1, function() return number end
    end
  end
  return 0
end

local function page(state, ask, total, at, name)
  local rows = {}
  local first = (ask.page - 1) * ask.limit
  for position = first + 1, math.min(first + ask.limit, total) do
    rows[#rows + 1] = state.world:row(at(position), ask.payloads)
  end
  local more = first + ask.limit < total
  return answer.json(200, query.paged({ [name] = core.json.array(rows) },
                                      more and tostring(ask.page + 1)))
end

function listing.by_endpoint(state, one, many)
  local ask, why = question(state, one, many)
  if not ask then
    return answer.error(400, why)
  end
  for _, name in ipairs(ask.endpoints) do
    if not state.world.index[name] then
      return answer.error(404, ("Endpoint %s not found"):format(name))
    end
  end
  state.listed = state.listed + 1
  local total, at
  if ask.request_id then
    total, at = one_request(state, ask)
  else
    total, at = numbers_of(state, ask)
  end
  return page(state, ask, total, at, "items")
end

--- Newest first; without start and end.
function listing.search(state, one, many)
  local world = state.world
  local limit, why = query.integer(one, "limit", 50, 1, 1000)
  local number, why_page = query.page(one)
  if not limit or not number then
    return answer.error(400, why or why_page)
  end
  for _, name in ipairs(many.endpoint_id or {}) do
    if not world.index[name] then
      return answer.error(400, ("endpoint_id %s is not known"):format(name))
    end
  end
  local total, at = periodic(world, 1, world.count,
                             residues(world, many.endpoint_id), true)
  return page(state, { page = number, limit = limit }, total, at, "results")
end

--- One record per endpoint that the window used.
function listing.usage(state, one, many)
  local world = state.world
  local start, stop, why = query.window(one, DAY)
  if why then
    return answer.error(400, why)
  end
  local first, last = range(world, start, stop)
  local records = {}
  for _, name in ipairs(world.config.endpoints) do
    local count = periodic(world, first, last, { world.index[name] })
    if count > 0 then
      records[#records + 1] = {
        endpoint_id = name, unit = "image", quantity = count,
        unit_price = 0.01, percent_discount = core.json.null,
        cost_subtotal = count / 100, cost_discount = 0,
        cost_total = count / 100, cost = count / 100, currency = "USD",
      }
    end
  end
  local body, wanted = {}, many.expand or { "time_series" }
  for _, part in ipairs(wanted) do
    if part == "summary" then
      body.summary = core.json.array(records)
    elseif part == "time_series" then
      body.time_series = core.json.array { {
        bucket = core.format_time(start), results = core.json.array(records),
      } }
    end
  end
  if not next(body) then
    return answer.error(400, "expand must name time_series or summary")
  end
  return answer.json(200, query.paged(body))
end

local function event(world, number)
  return {
    request_id = world:id(number), endpoint_id = world:endpoint(number),
    timestamp = core.format_time(world:ended(number)), output_units = 1,
    unit_price = 0.01, percent_discount = core.json.null,
    cost_subtotal = 0.01, cost_discount = 0, cost_total = 0.01,
    cost_estimate_nano_usd = 10000000,
  }
end

--- Billed requests, oldest first, by keyset: the cursor is the last number.
function listing.billing(state, one, many)
  local world = state.world
  local limit, why = query.integer(one, "limit", 1000, 1, 10000)
  local start, stop, why_window = query.window(one, DAY)
  if not limit or why_window then
    return answer.error(400, why or why_window)
  elseif stop - start > 90 * DAY then
    return answer.error(400, "the window may span 90 days at most")
  end
  local first, last = range(world, start, stop)
  if one.cursor then
    local number = (query.unbase64(one.cursor) or ""):match(",(%d+)$")
    if not number then
      return answer.error(400, "cursor is not valid")
    end
    first = math.max(first, math.tointeger(number) + 1)
  end
  local wanted, events, number = {}, {}, first
  for _, name in ipairs(many.endpoint_id or {}) do
    wanted[name] = true
  end
  while number <= last and #events < limit do
    if world:status(number) == 200 and not world:running(number) and
       (not next(wanted) or wanted[world:endpoint(number)]) then
      events[#events + 1] = event(world, number)
    end
    number = number + 1
  end
  local more = number <= last and ("%s,%d"):format(
    core.format_time(world:ended(number - 1)), number - 1)
  return answer.json(200, query.paged(
    { billing_events = core.json.array(events) }, more or nil))
end

return listing
