--- Do the facts of a plan's items still hold? Each is listed again.
---
--- An item that is not listed any more, or not with the same end, status and
--- endpoint, is held for the length of the run: the gate leaves it alone and
--- records why. Items that were planned by their id alone have no facts.
local core = require "core"
local payload = require "fal.payload"
local requests = require "fal.requests"

local recheck = {}

local SHOWN <const> = 10

local SECOND <const> = 1000

--- Endpoints, first and last end of what has facts.
local function span_of(items)
  local endpoints, seen, from, to = {}, {}, nil, nil
  for _, item in ipairs(items) do
    local ended = item.endpoint_id and item.ended_at and
      core.parse_time(item.ended_at)
    if ended then
      from = math.min(from or ended, ended)
      to = math.max(to or ended, ended)
      if not seen[item.endpoint_id] then
        seen[item.endpoint_id] = true
        endpoints[#endpoints + 1] = item.endpoint_id
      end
    end
  end
  return endpoints, from, to
end

local function list_again(endpoints, from, to)
  local stop = math.min((to // SECOND + 1) * SECOND,
                        core.at() // SECOND * SECOND)
  return requests.list {
    endpoint_id = endpoints, start = core.format_time(from),
    ["end"] = core.format_time(math.max(stop, from + 1)),
  }
end

--- The same time may be written in more than one way.
local function same(name, a, b)
  if name == "ended_at" then
    return core.parse_time(a) == core.parse_time(b)
  end
  return a == b
end

--- What differs, in words; nil when nothing does.
local function difference(item, request)
  if not request then
    return "it is not listed any more"
  end
  for _, name in ipairs { "ended_at", "status_code", "endpoint_id" } do
    local was, is = item[name], rawget(request, name)
    if was ~= nil and not same(name, was, is) then
      return ("its %s was %s and is %s"):format(name, tostring(was),
                                                tostring(is))
    end
  end
end

local function has_facts(item)
  return item.endpoint_id ~= nil and item.ended_at ~= nil
end

--- Lists the items of a plan file again. Waits; raises when the list fails.
function recheck.run(file)
  file.rows = {}
  local endpoints, from, to = span_of(file.items)
  local wanted = {}
  for _, item in ipairs(file.items) do
    wanted[item.request_id] = true
  end
  if endpoints[1] then
    for request in list_again(endpoints, from, to) do
      if wanted[request.request_id] then
        file.rows[request.request_id] = request
      end
    end
  end
  local count = 0
  for _, item in ipairs(file.items) do
    local words = has_facts(item) and
      difference(item, file.rows[item.request_id])
    if words then
      count = count + 1
      core.log[count > SHOWN and "debug" or "warn"](
        "left, because the plan is not true of it any more",
        { id = item.request_id, why = words })
      core.hold_id(item.request_id, "the plan is not true of it any more: "
                   .. words)
    end
  end
  if count > SHOWN then
    core.log.warn(("and %d more; falrun show last lists them"):format(
      count - SHOWN))
  end
end

--- The request of an item as it was listed again, for what asks about it;
--- what was planned by its id alone is all that is known of it.
function recheck.row(file, item)
  return file.rows[item.request_id] or payload.item {
    request_id = item.request_id, endpoint_id = item.endpoint_id,
    ended_at = item.ended_at, status_code = item.status_code }
end

return recheck
