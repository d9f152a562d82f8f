--- Time in buckets: minutes, hours, days, weeks and months, and the answers
--- that are lists by bucket.
local answer = require "sandbox.answer"
local core = require "core"
local query = require "sandbox.query"

local buckets = {}

local DAY <const> = 86400000

--- Unlike the real API, weeks begin on Monday and days in UTC whatever the
--- timezone.
local SIZES <const> = { minute = 60000, hour = 3600000, day = DAY,
                        week = 7 * DAY }

function buckets.begins(ms, frame)
  if frame == "month" then
    return core.parse_time(core.format_time(ms):sub(1, 7) .. "-01")
  end
  local base = frame == "week" and 4 * DAY or 0         -- 1970-01-05
  return (ms - base) // SIZES[frame] * SIZES[frame] + base
end

function buckets.after(ms, frame, steps)
  if frame ~= "month" then
    return ms + steps * SIZES[frame]
  end
  for _ = 1, steps do
    ms = buckets.begins(ms + 32 * DAY, frame)
  end
  return ms
end

local function count_in(start, stop, frame)
  if frame ~= "month" then
    return (stop - start + SIZES[frame] - 1) // SIZES[frame]
  end
  local count = 0
  while start < stop do
    start, count = buckets.after(start, frame, 1), count + 1
  end
  return count
end

local function auto_frame(span)
  return span < DAY / 12 and "minute" or span < 2 * DAY and "hour"
    or span < 64 * DAY and "day" or span < 183 * DAY and "week" or "month"
end

function buckets.knows(frame)
  return SIZES[frame] ~= nil or frame == "month"
end

--- Puts the frame into a question, and moves its start and stop to the edges
--- of buckets where `bound`.
function buckets.bound(ask, frame, bound)
  ask.frame = frame or auto_frame(ask.stop - ask.start)
  if bound and ask.start < ask.stop then
    local last = buckets.begins(ask.stop - 1, ask.frame)
    ask.start = buckets.begins(ask.start, ask.frame)
    ask.stop = buckets.after(last, ask.frame, 1) or ask.stop
  end
  return ask
end

--- start, stop and what is wrong, of values that asked.lua read.
function buckets.window(values, back_ms)
  local stop = values["end"] or core.at()
  local start = values.start or core.at() - back_ms
  if values.start and values["end"] and stop <= start then
    return start, stop, "start must be before end"
  end
  return start, stop
end

--- How many buckets a question spans, and the start of the first.
function buckets.count(ask)
  local zero = buckets.begins(ask.start, ask.frame)
  return math.max(count_in(zero, ask.stop, ask.frame), 0), zero
end

--- The buckets of a page: bucket text -> what `made(start, stop)` is.
local function series_of(ask, made)
  local series = {}
  local count, zero = buckets.count(ask)
  local first, last, more = query.slice(ask, count)
  local at = first <= last and buckets.after(zero, ask.frame, first - 1)
  for _ = first, last do
    local ends = buckets.after(at, ask.frame, 1)
    series[#series + 1] = { bucket = core.format_time(at),
      results = core.json.array(made(math.max(at, ask.start),
                                     math.min(ends, ask.stop))) }
    at = ends
  end
  return series, more
end

--- time_series, summary or both. Pages are of buckets, and of records where
--- only a summary is asked for.
function buckets.reply(ask, made)
  local body, more = {}, nil
  if ask.expand.summary then
    local list = made(ask.start, ask.stop)
    if not ask.expand.time_series then
      local first, last
      first, last, more = query.slice(ask, #list)
      list = table.move(list, first, last, 1, {})
    end
    body.summary = core.json.array(list)
  end
  if ask.expand.time_series then
    local series
    series, more = series_of(ask, made)
    body.time_series = core.json.array(series)
  end
  return answer.json(200, query.paged(body, more))
end

--- The question of an answer by bucket, of values that asked.lua read; nil
--- and what is wrong.
function buckets.question(values, most)
  local ask = { expand = {}, limit = math.min(values.limit or 50, most) }
  local why
  for _, word in ipairs(values.expand) do
    ask.expand[word] = true
  end
  ask.start, ask.stop, why = buckets.window(values, DAY)
  ask.page, why = query.page(values, why)
  if not why and not ask.expand.time_series and not ask.expand.summary then
    why = "expand must name time_series or summary"
  end
  if why then
    return nil, why
  end
  return buckets.bound(ask, values.timeframe, values.bound_to_timeframe)
end

return buckets
