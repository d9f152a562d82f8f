--- Counts and latencies by endpoint and time, of the requests to models and
--- of those to one's own apps.
local answer = require "sandbox.answer"
local buckets = require "sandbox.buckets"
local own = require "sandbox.own"
local spans = require "sandbox.spans"

local analytics = {}

local PERCENTS <const> = { 25, 50, 75, 90, 95, 99 }
local LIMIT_MOST <const> = 1000

--- Counts that are always zero here: the sandbox has no machines.
local NEVER <const> = { "startup_error_count", "connection_error_count",
                        "timeout_error_count", "cold_boot_count" }

--- What is counted of one endpoint's requests in a window.
local function counted(world, first, last, place)
  local seen = { all = 0, good = 0, user = 0, bad = 0, took = {}, sum = 0 }
  for number = first, last do
    spans.give_way(number)
    if world:place(number) == place then
      seen.all = seen.all + 1
      local status = not world:running(number) and world:status(number)
      local kind = status and (status < 400 and "good" or status < 500 and
                               "user" or "bad")
      if kind then
        seen[kind] = seen[kind] + 1
        seen.took[#seen.took + 1] = world:took(number)
        seen.sum = seen.sum + world:took(number)
      end
    end
  end
  table.sort(seen.took)
  return seen
end

local function add_durations(record, seen)
  for _, percent in ipairs(#seen.took > 0 and PERCENTS or {}) do
    local at = math.max(1, math.ceil(#seen.took * percent / 100))
    record[("p%d_duration"):format(percent)] = seen.took[at] / 1000
    record[("p%d_prepare_duration"):format(percent)] = 0.2
  end
  record.p25_prepare_duration = nil     -- the API has none
  record.total_billable_duration = seen.sum / 1000
end

local function metrics_of(name, seen)
  local record = { endpoint_id = name, request_count = seen.all,
    success_count = seen.good, user_error_count = seen.user,
    error_count = seen.bad, runtime_error_count = seen.bad }
  for _, metric in ipairs(NEVER) do
    record[metric] = 0
  end
  add_durations(record, seen)
  return record
end

--- One record for each endpoint, with the metrics that were asked for.
local function records(world, ask, start, stop)
  local first, last = spans.range(world, start, stop)
  local list = {}
  for _, place in ipairs(spans.places(world, ask.endpoints)) do
    local seen = counted(world, first, last, place)
    local record = seen.all > 0 and
      metrics_of(world.config.endpoints[place], seen) or {}
    for metric in pairs(record) do
      if metric ~= "endpoint_id" and not ask.expand[metric] then
        record[metric] = nil
      end
    end
    list[#list + 1] = seen.all > 0 and record or nil
  end
  return list
end

local METRICS <const> = {}
do
  local none = { all = 0, good = 0, user = 0, bad = 0, took = { 0 }, sum = 0 }
  for metric in pairs(metrics_of("", none)) do
    METRICS[metric] = metric ~= "endpoint_id"
  end
  for _, percent in ipairs { 50, 75, 90 } do
    METRICS[("p%d_cold_boot_duration"):format(percent)] = true
  end
end

--- What is wrong with the words of expand, or nil.
local function misspelt(expand)
  local metrics = 0
  for _, word in ipairs(expand) do
    metrics = metrics + (METRICS[word] and 1 or 0)
    if word ~= "time_series" and word ~= "summary" and not METRICS[word] then
      return "expand knows time_series, summary and the metrics alone"
    end
  end
  return metrics == 0 and "expand must name at least one metric" or nil
end

local function reply(world, values)
  local ask, why = buckets.question(values, LIMIT_MOST)
  why = why or misspelt(values.expand)
  if why then
    return answer.error(400, why)
  end
  for _, name in ipairs(values.endpoint_id) do
    if not world:knows(name) then
      return answer.error(404, ("Endpoint %s not found"):format(
        answer.shown(name)))
    end
  end
  ask.endpoints = values.endpoint_id
  return buckets.reply(ask, function(start, stop)
    return records(world, ask, start, stop)
  end)
end

analytics.operations = {
  ["models.analytics"] = function(state, values)
    return reply(state.world, values)
  end,
  ["serverless.analytics"] = function(state, values)
    return reply(own.of(state).world, values)
  end,
}

return analytics
