--- The logs and metrics of one's own apps: a line for each request that ended.
local answer = require "sandbox.answer"
local apps = require "sandbox.apps"
local buckets = require "sandbox.buckets"
local core = require "core"
local own = require "sandbox.own"
local spans = require "sandbox.spans"

local logs = {}

local DAY <const> = 86400000
local LIMIT <const>, STREAMED <const> = 100, 20
local RETRY <const>, PACE <const>, HEARTBEAT <const> = 200, 20, 1000  -- ms
local LEVELS <const> = { debug = 1, info = 2, warning = 3, error = 4 }

--- The line of a request.
local function line(state, number)
  local world = own.of(state).world
  local app = own.app_of(world:endpoint(number))
  local status, id = world:status(number), world:id(number)
  return { timestamp = core.format_time(world:ended(number)), app = app,
    level = status < 400 and "info" or status < 500 and "warning" or "error",
    message = ("request %s ended with %d"):format(id, status),
    revision = apps.revision(state, app),
    labels = { fal_request_id = id, run_source = "gateway",
               fal_job_id = "job-" .. app:match("/(.*)$") } }
end

--- Whether a line meets one filter of labels.
local function labelled(labels, filter)
  local found = false
  for _, value in ipairs(filter.value) do
    found = found or labels[filter.key] == value
  end
  local condition = filter.condition_type or "equals"
  return found == not condition:find("^not")
end

local function has_labels(labels, values)
  for _, filter in ipairs(values.filters or {}) do
    if not labelled(labels, filter) then
      return false
    end
  end
  return (not values.run_source or labels.run_source == values.run_source)
    and (not values.job_id or labels.fal_job_id == values.job_id)
    and (not values.request_id or labels.fal_request_id == values.request_id)
end

local function wanted(one, values)
  local apps_wanted = not values.app_id
  for _, name in ipairs(values.app_id or {}) do
    apps_wanted = apps_wanted or name == one.app
  end
  local least = LEVELS[(values.level or "debug"):lower()] or 1
  return apps_wanted and LEVELS[one.level] >= least
    and (not values.revision or one.revision == values.revision)
    and (not values.search or one.message:find(values.search, 1, true) ~= nil)
    and has_labels(one.labels, values)
end

--- Up to `limit` lines in a window, newest first, whether there are more, and
--- the numbers of their requests.
local function find(state, values, start, stop, limit)
  local world, found, numbers = own.of(state).world, {}, {}
  local first, last = spans.range(world, start, stop)
  for number = last, first, -1 do
    local one = not world:running(number) and line(state, number)
    if one and wanted(one, values) then
      found[#found + 1], numbers[#found + 1] = one, number
    end
    if #found > limit then
      found[#found] = nil
      return found, true, numbers
    end
  end
  return found, false, numbers
end

--- The cursor is the time of the last line, plain.
local function history(state, values)
  local start, stop, why = buckets.window(values, DAY)
  local before = values.cursor and core.parse_time(values.cursor)
  if why or values.cursor and not before then
    return answer.error(400, why or "cursor is not valid")
  end
  local items, more = find(state, values, start, math.min(stop, before or stop),
                           values.limit or LIMIT)
  return answer.json(200, { items = core.json.array(items), has_more = more,
    next_cursor = more and items[#items].timestamp or core.json.null })
end

--- The events of the newest lines, oldest first, behind the id `after`.
local function events_of(state, values, start, stop, after)
  local list = {}
  local items, _, numbers = find(state, values, start, stop, STREAMED)
  for i = #items, 1, -1 do
    if numbers[i] > after then
      list[#list + 1] = ("%sdata: %s\n\n"):format(
        state.switches.stream_ids ~= "no" and ("id: %d\n"):format(numbers[i])
        or "", core.json.encode(items[i]))
    end
  end
  return list
end

--- The newest lines as events, one after the other, then heartbeats: the
--- history does not grow. With an `end` it ends there, and so it does where
--- time is not real. Who asks again behind the last line gets 204.
local function stream(state, values, request)
  local start, stop, why = buckets.window(values, DAY)
  if why then
    return answer.error(400, why)
  end
  local after = math.tointeger(request.header("Last-Event-ID") or "") or -1
  local list, sent = events_of(state, values, start, stop, after), 0
  local ends = values["end"] ~= nil or state.offline
  if after >= 0 and ends and not list[1] then
    return answer.empty()
  end
  local reply = answer.text(200)
  reply.headers["Content-Type"] = "text/event-stream"
  reply.body = function()
    sent = sent + 1
    if sent == 1 then
      return ("retry: %d\n\n"):format(RETRY)
    elseif list[sent - 1] then
      core.sleep(PACE)
      return list[sent - 1]
    elseif not ends then
      core.sleep(HEARTBEAT)
      return ": heartbeat\n\n"
    end
  end
  return reply
end

local function metrics(state)
  local world = own.of(state).world
  local lines = { "# HELP fal_app_seconds_total Seconds that were used.",
                  "# TYPE fal_app_seconds_total counter" }
  for _, name in ipairs(own.APPS) do
    local start, stop = world:bounds()
    lines[#lines + 1] = ('fal_app_seconds_total{app="%s"} %.3f'):format(name,
      apps.seconds(world, name, start, stop))
  end
  local reply = answer.text(200, table.concat(lines, "\n") .. "\n")
  reply.headers["Content-Type"] = "text/plain; version=0.0.4"
  return reply
end

logs.operations = {
  ["serverless.logs.history"] = history,
  ["serverless.logs.stream"] = stream, ["serverless.metrics"] = metrics,
}

return logs
