--- What was billed: usage by endpoint, and one event for each request.
local answer = require "sandbox.answer"
local core = require "core"
local query = require "sandbox.query"
local spans = require "sandbox.spans"

local billing = {}

local DAY <const> = 86400000
local KEY_ID <const> = "sandbox-key"    -- whoever asks, this key generated

--- Unlike the real API, weeks begin on Monday and days in UTC whatever the
--- timezone.
local SIZES <const> = { minute = 60000, hour = 3600000, day = DAY,
                        week = 7 * DAY }

local function begins(ms, frame)
  if frame == "month" then
    return core.parse_time(core.format_time(ms):sub(1, 7) .. "-01")
  end
  local base = frame == "week" and 4 * DAY or 0         -- 1970-01-05
  return (ms - base) // SIZES[frame] * SIZES[frame] + base
end

local function after(ms, frame, steps)
  if frame ~= "month" then
    return ms + steps * SIZES[frame]
  end
  for _ = 1, steps do
    ms = begins(ms + 32 * DAY, frame)
  end
  return ms
end

local function buckets_in(start, stop, frame)
  if frame ~= "month" then
    return (stop - start + SIZES[frame] - 1) // SIZES[frame]
  end
  local count = 0
  while start < stop do
    start, count = after(start, frame, 1), count + 1
  end
  return count
end

local function auto_frame(span)
  return span < DAY / 12 and "minute" or span < 2 * DAY and "hour"
    or span < 64 * DAY and "day" or span < 183 * DAY and "week" or "month"
end

local function add_auth(record, expand)
  record.auth_method = expand.auth_method and "Sandbox key" or nil
  record.auth_method_structured = expand.auth_method_structured and
    { detail = "Sandbox key", api_key_id = KEY_ID } or nil
  return record
end

--- One record for each endpoint that was used in [start, stop).
local function records(world, ask, start, stop)
  local first, last = spans.range(world, start, stop)
  local list = {}
  for _, place in ipairs(spans.places(world, ask.endpoints)) do
    local count = ask.nobody and 0 or
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
  elseif one.timeframe and one.timeframe ~= "month" and
         not SIZES[one.timeframe] then
    return nil, "timeframe must be minute, hour, day, week or month"
  end
  ask.frame = one.timeframe or auto_frame(ask.stop - ask.start)
  if one.bound_to_timeframe ~= "false" and ask.start < ask.stop then
    local last = begins(ask.stop - 1, ask.frame)
    ask.start = begins(ask.start, ask.frame)
    ask.stop = after(last, ask.frame, 1) or ask.stop
  end
  return ask
end

local function time_series(world, ask)
  local series = {}
  local zero = begins(ask.start, ask.frame)
  local count = buckets_in(zero, ask.stop, ask.frame)
  local first, last, more = query.slice(ask, math.max(count, 0))
  local at = first <= last and after(zero, ask.frame, first - 1)
  for _ = first, last do
    local ends = after(at, ask.frame, 1)
    series[#series + 1] = { bucket = core.format_time(at),
      results = core.json.array(records(world, ask, math.max(at, ask.start),
                                        math.min(ends, ask.stop))) }
    at = ends
  end
  return series, more
end

--- Pages are of buckets, and of endpoints when only a summary is asked for.
function billing.usage(state, one, many)
  local ask, why = usage_question(one, many)
  if not ask then
    return answer.error(400, why)
  end
  local body = {}
  local more
  if ask.expand.summary then
    local list = records(state.world, ask, ask.start, ask.stop)
    if not ask.expand.time_series then
      local first, last
      first, last, more = query.slice(ask, #list)
      list = table.move(list, first, last, 1, {})
    end
    body.summary = core.json.array(list)
  end
  if ask.expand.time_series then
    local series
    series, more = time_series(state.world, ask)
    body.time_series = core.json.array(series)
  end
  return answer.json(200, query.paged(body, more))
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
function billing.events(state, one, many)
  local world = state.world
  local ask, why = question(one, many, DAY, 1000, 10000,
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
    events[i] = event(world, found[i], ask.expand)
  end
  return answer.json(200, query.paged(
    { billing_events = core.json.array(events) },
    #found > ask.limit and cursor_of(world, found[ask.limit]) or nil))
end

return billing
