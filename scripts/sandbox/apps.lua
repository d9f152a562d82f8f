--- The operations of serverless apps: what they are, their queues, runners,
--- events, revisions, requests and seconds.
local answer = require "sandbox.answer"
local buckets = require "sandbox.buckets"
local core = require "core"
local listing = require "sandbox.listing"
local own = require "sandbox.own"
local query = require "sandbox.query"
local spans = require "sandbox.spans"

local apps = {}

local DAY <const> = 86400000
local MACHINE <const> = "GPU-H100"
local BUCKETS_MOST <const>, EVENTS <const> = 10000, 40

local CATEGORIES <const> = { "deployment_started", "deployment_ended",
  "runner_pending", "runner_started", "runner_finished", "config_changed" }

local REVISIONS <const> = 3

local function iso(ms)
  return core.format_time(ms)
end

--- The moment of the i-th of `count` things of an app, the newest first.
local function moment(world, i, count)
  return world.config.anchor - (i - 1) * (world.config.span // count)
end

--- A function of the app that a path names, or a 404.
local function on(what)
  return function(state, values)
    local name = values.owner .. "/" .. values.name
    if not own.has(name) then
      return answer.error(404, "there is no such app")
    end
    return what(state, values, name)
  end
end

-- ---- what they are ---------------------------------------------------------

local function app(world, name, endpoints)
  return { endpoint_id = name, name = name:match("/(.*)$"), owner = own.USER,
    environment = "main", machine_type = MACHINE, auth_mode = "private",
    keep_alive = 60, min_concurrency = 0, max_concurrency = 8,
    request_timeout = 3600, startup_timeout = 600,
    valid_regions = core.json.array { "us-east" },
    updated_at = iso(moment(world, 1, REVISIONS)),
    endpoints = endpoints and core.json.array(own.routes(name)) or nil }
end

local function list(state, values)
  local found = {}
  for _, name in ipairs(own.APPS) do
    local is = (values.environment or "main") == "main" and
      (not values.search or name:find(values.search, 1, true))
    found[#found + 1] = is and app(own.of(state).world, name, values.expand)
      or nil
  end
  return answer.json(200, { apps = core.json.array(found) })
end

-- ---- queues ----------------------------------------------------------------

local function queues(state)
  state.queues = state.queues or { [own.APPS[1]] = 3, [own.APPS[2]] = 0 }
  return state.queues
end

local function queue(state, _, name)
  return answer.json(200, { queue_size = queues(state)[name] })
end

local function flush(state, _, name)
  queues(state)[name] = 0
  return answer.empty()
end

-- ---- runners, events, revisions --------------------------------------------

--- As many runners ran as there were requests in the bucket, 8 at most.
local function runners_in(world, name, start, stop)
  local first, last = spans.range(world, start, stop)
  local places = spans.places(world, own.routes(name))
  local running = math.min(8, spans.count(world, first, last, places))
  return { timestamp = iso(start), running = running, pending = 0,
           idle = running > 0 and 1 or 0, draining = 0 }
end

local function runners(state, values, name)
  local world = own.of(state).world
  local start, stop, why = buckets.window(values, DAY)
  if not why and core.at() - start > 90 * DAY + DAY then
    why = "start may be 90 days ago at most"
  end
  local ask = buckets.bound({ start = start, stop = stop }, values.timeframe,
                            true)
  local count, at = buckets.count(ask)
  if why or count > BUCKETS_MOST then
    return answer.error(400, why or "that are too many buckets: choose a "
                        .. "longer timeframe")
  end
  local history = {}
  for i = 1, count do
    local ends = buckets.after(at, ask.frame, 1)
    history[i], at = runners_in(world, name, at, ends), ends
    spans.give_way(i)
  end
  return answer.json(200, { endpoint_id = name, timeframe = ask.frame,
    aggregation = values.aggregation, history = core.json.array(history) })
end

local function revision_id(world, name, i)
  return ("%s-r%d-%08x"):format(name:match("/(.*)$"), REVISIONS + 1 - i,
    world:bits(i, #name) & 0xffffffff)
end

local function payload(world, name, category)
  local deployed = category:find("^deployment")
  return { machine_type = MACHINE,
    job_id = not deployed and ("job-%s"):format(name:match("/(.*)$")) or nil,
    new_application_id = deployed and revision_id(world, name, 1) or nil,
    actor = deployed and { nickname = own.USER } or nil }
end

--- A page of a list that is there whole.
local function page_of(values, all, body, name)
  local page, why = query.page(values)
  if why then
    return answer.error(400, why)
  end
  local first, last, more = query.slice({ page = page, limit = values.limit },
                                        #all)
  body[name] = core.json.array(table.move(all, first, last, 1, {}))
  return answer.json(200, query.paged(body, more))
end

local function events(state, values, name)
  local world, found, wanted = own.of(state).world, {}, {}
  for _, category in ipairs(values.category or CATEGORIES) do
    wanted[category] = true
  end
  local start, stop, why = buckets.window(values, world.config.span + DAY)
  if why then
    return answer.error(400, why)
  end
  for i = 1, EVENTS do
    local category = CATEGORIES[i % #CATEGORIES + 1]
    local at = moment(world, i, EVENTS)
    found[#found + 1] = wanted[category] and at >= start and at < stop and {
      event_id = ("e-%s-%d"):format(name:match("/(.*)$"), EVENTS + 1 - i),
      category = category, created_at = iso(at),
      payload = payload(world, name, category) } or nil
  end
  return page_of(values, found, { endpoint_id = name }, "events")
end

local function revisions(state, values, name)
  local world, all = own.of(state).world, {}
  for i = 1, REVISIONS do
    all[i] = { revision_id = revision_id(world, name, i), is_current = i == 1,
      created_at = iso(moment(world, i, REVISIONS)),
      message = ("revision %d"):format(REVISIONS + 1 - i),
      annotations = core.json.null, status = "deployed",
      deployed_by = i == 1 and own.USER or core.json.null }
  end
  return page_of(values, all, { endpoint_id = name }, "revisions")
end

--- The revision of an app that runs now.
function apps.revision(state, name)
  return revision_id(own.of(state).world, name, 1)
end

-- ---- requests and seconds --------------------------------------------------

--- A bare app is all of its routes.
function apps.requests(state, one, many)
  local all = {}
  for _, name in ipairs(many.endpoint_id or {}) do
    local routes = own.has(name) and own.routes(name) or { name }
    table.move(routes, 1, #routes, #all + 1, all)
  end
  many.endpoint_id = many.endpoint_id and all
  return listing.by_endpoint(own.of(state), one, many)
end

--- The seconds of an app in a window; what its requests took together.
function apps.seconds(world, name, start, stop)
  local first, last = spans.range(world, start, stop)
  local _, wanted = spans.places(world, own.routes(name))
  local ms = 0
  for number = first, last do
    ms = ms + (wanted[world:place(number)] and world:took(number) or 0)
  end
  return ms / 1000
end

local function used(world, names, start, stop)
  local records = {}
  for _, name in ipairs(names) do
    local seconds = apps.seconds(world, name, start, stop)
    local cost = seconds * own.PRICE
    records[#records + 1] = seconds > 0 and { app = name, environment = "main",
      machine_type = MACHINE, unit = "second", quantity = seconds,
      unit_price = own.PRICE, percent_discount = core.json.null,
      cost_subtotal = cost, cost_discount = 0, cost_total = cost, cost = cost,
      currency = "USD", is_surge = false } or nil
  end
  return records
end

local function usage(state, values)
  local ask, why = buckets.question(values, 1000)
  if not ask then
    return answer.error(400, why)
  end
  local names, wanted = {}, {}
  for _, name in ipairs(values.app or own.APPS) do
    wanted[name] = true
  end
  for _, name in ipairs(own.APPS) do
    names[#names + 1] = wanted[name] and (not values.search or
      name:find(values.search, 1, true)) and name or nil
  end
  return buckets.reply(ask, function(start, stop)
    return used(own.of(state).world, names, start, stop)
  end)
end

apps.operations = {
  ["serverless.apps"] = list, ["serverless.queue"] = on(queue),
  ["serverless.flush_queue"] = on(flush),
  ["serverless.runners"] = on(runners), ["serverless.events"] = on(events),
  ["serverless.revisions"] = on(revisions), ["serverless.usage"] = usage,
}

return apps
