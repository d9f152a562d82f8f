--- What was billed: usage by endpoint, and one event for each request.
local answer = require "sandbox.answer"
local buckets = require "sandbox.buckets"
local core = require "core"
local query = require "sandbox.query"
local spans = require "sandbox.spans"

local billing = {}

local DAY <const> = 86400000
local BOUND <const> = { ["true"] = true, ["false"] = true }
local KEY_ID <const> = "sandbox-key"    -- whoever asks, this key generated

local function add_auth(record, expand)
  record.auth_method = expand.auth_method and "Sandbox key" or nil
  record.auth_method_structured = expand.auth_method_structured and
    { detail = "Sandbox key", api_key_id = KEY_ID } or nil
  return record
end

--- One record for each endpoint that was used in [start, stop).
function billing.records(world, ask, start, stop)
  local first, last = spans.range(world, start, stop)
  local list = {}
  for _, place in ipairs(spans.places(world, ask.endpoints)) do
    local count = (ask.nobody or world.unbilled == place) and 0 or
      spans.count(world, first, last, { place })
    if count > 0 then
      list[#list + 1] = add_auth({
        endpoint_id = world.config.endpoints[place], unit = "image",
        quantity = count, unit_price = 0.01,
        percent_discount = core.json.null, cost_subtotal = count / 100,
        cost_discount = 0, cost_total = count / 100, cost = count / 100,
        currency = "USD",
      }, ask.expand)
    end
  end
  return list
end

--- The filters that usage and billing events share.
local function question(one, many, back_ms, limit, most, words)
  local ask = {}
  local keys, names, why
  ask.endpoints, why = query.list(many, "endpoint_id")
  keys, why = query.list(many, "api_key_id", why)
  names, why = query.list(many, "login_username", why)
  ask.expand, why = query.words(many, "expand", words, why)
  ask.limit, why = query.integer(one, "limit", limit, 1, most, why)
  ask.start, ask.stop, why = query.window(one, back_ms, why)
  ask.nobody = names or keys and
    not (","..table.concat(keys, ",")..","):find(","..KEY_ID..",", 1, true)
  return ask, why
end

local function usage_question(one, many)
  local ask, why = question(one, many, DAY, 50, 1000, { "time_series",
    "summary", "auth_method", "auth_method_structured" })
  if not many.expand then
    ask.expand = { time_series = true }
  end
  ask.page, why = query.page(one, why)
  if why then
    return nil, why
  elseif not ask.expand.time_series and not ask.expand.summary then
    return nil, "expand must name time_series or summary"
  elseif one.timeframe and not buckets.knows(one.timeframe) then
    return nil, "timeframe must be minute, hour, day, week or month"
  elseif not BOUND[one.bound_to_timeframe or "true"] then
    return nil, "bound_to_timeframe must be true or false"
  end
  return buckets.bound(ask, one.timeframe, one.bound_to_timeframe ~= "false")
end

--- What usage answers. `made(ask, start, stop)` makes the records.
function billing.usage_by(one, many, made)
  local ask, why = usage_question(one, many)
  if not ask then
    return answer.error(400, why)
  end
  return buckets.reply(ask, function(start, stop)
    return made(ask, start, stop)
  end)
end

function billing.usage(state, one, many)
  return billing.usage_by(one, many, function(ask, start, stop)
    return billing.records(state.world, ask, start, stop)
  end)
end

local function event(world, number, expand)
  return add_auth({
    request_id = world:id(number), endpoint_id = world:endpoint(number),
    timestamp = core.format_time(world:ended(number)), output_units = 1,
    unit_price = 0.01, percent_discount = core.json.null,
    cost_subtotal = 0.01, cost_discount = 0, cost_total = 0.01,
    cost_estimate_nano_usd = 10000000,
  }, expand)
end

--- The numbers of these ids, in order; nil without ids.
local function numbers_of(world, ids)
  local numbers = ids and {}
  for _, text in ipairs(ids or {}) do
    local id = query.id(text)
    numbers[#numbers + 1] = id and world:number(id)
  end
  if numbers then
    table.sort(numbers)
  end
  return numbers
end

--- Billed numbers in [first, last], one more than a page of them.
local function billed(world, ask, first, last)
  local found, number = {}, first
  local _, wanted = spans.places(world, ask.endpoints)
  wanted[world.unbilled or 0] = nil
  local function look()
    if world:status(number) == 200 and not world:running(number) and
       wanted[world:place(number)] then
      found[#found + 1] = number
    end
  end
  for _, asked in ipairs(ask.numbers or {}) do
    number = asked
    if asked >= first and asked <= last and found[#found] ~= asked then
      look()
    end
  end
  while not ask.numbers and number <= last and #found <= ask.limit do
    look()
    spans.give_way(number)
    number = number + 1
  end
  return found
end

local function cursor_of(world, number)
  return ("%s,%d"):format(core.format_time(world:ended(number)), number)
end

--- Billed requests, oldest first, by keyset: the cursor is the last number.
--- `most`: of a page; `shape` makes of an event what is shown.
function billing.events_by(state, one, many, most, shape)
  local world = state.world
  local ask, why = question(one, many, DAY, math.min(most, 1000), most,
                            { "auth_method", "auth_method_structured" })
  local ids
  ids, why = query.list(many, "request_id", why)
  if not why and ask.stop - ask.start > 90 * DAY then
    why = "the window may span 90 days at most"
  end
  local past = one.cursor and math.tointeger(
    (query.unbase64(one.cursor) or ""):match(",(%d+)$") or "")
  if why or one.cursor and not past then
    return answer.error(400, why or "cursor is not valid")
  end
  ask.numbers = ask.nobody and {} or numbers_of(world, ids)
  local first, last = spans.range(world, ask.start, ask.stop)
  local found = billed(world, ask, math.max(first, (past or 0) + 1), last)
  local events = {}
  for i = 1, math.min(#found, ask.limit) do
    events[i] = shape(event(world, found[i], ask.expand))
  end
  return answer.json(200, query.paged(
    { billing_events = core.json.array(events) },
    #found > ask.limit and cursor_of(world, found[ask.limit]) or nil))
end

function billing.events(state, one, many)
  return billing.events_by(state, one, many, 10000, function(one_event)
    return one_event
  end)
end

return billing
