--- "auto": every endpoint that has requests in a span of time.
---
--- Two sources, because each can miss something: usage knows what was
--- counted, billing events what was billed. The union is used, and what only
--- one of them has is reported. If one fails, so does the whole.
local core = require "core"
local pages = require "fal.pages"

local endpoints = {}

local USAGE <const> = "/models/usage"
local EVENTS <const> = "/models/billing-events"
local EVENTS_SPAN <const> = 90 * 24 * 3600 * 1000
local SHOWN <const> = 10

local function add(found, path, list, place, item)
  local id = type(item) == "table" and item.endpoint_id or nil
  if type(id) ~= "string" or id == "" then
    pages.fail(path, "%s[%d].endpoint_id is %s, not the id of an endpoint",
               list, place, pages.kind(id))
  end
  found[id] = true
end

local function collect(found, path, list, query)
  local spec = { path = path, list = list, key = "admin", query = query }
  for items in pages.walk(spec) do
    for place, item in ipairs(items) do
      add(found, path, list, place, item)
    end
  end
end

local function from_usage(span)
  local found = {}
  collect(found, USAGE, "summary", {
    { "start", core.format_time(span.from) },
    { "end", core.format_time(span.to) },
    { "expand", "summary" },
  })
  return found
end

local function from_events(span)
  local found = {}
  for from = span.from, span.to - 1, EVENTS_SPAN do
    local to = math.min(from + EVENTS_SPAN, span.to)
    collect(found, EVENTS, "billing_events", {
      { "start", core.format_time(from) },
      { "end", core.format_time(to) },
      { "limit", 1000 },
    })
  end
  return found
end

local function missing(all, from)
  local names = {}
  for _, id in ipairs(all) do
    if not from[id] then
      names[#names + 1] = id
    end
  end
  return names
end

local function report(names, sentence)
  if #names == 0 then
    return
  end
  local shown = table.concat(names, ", ", 1, math.min(#names, SHOWN))
  core.log.info(sentence, { endpoints = shown, count = #names })
end

--- A sorted list of endpoint ids. Waits, and raises if a source fails.
---@param span {from:integer, to:integer}
function endpoints.find(span)
  local usage, events, all = from_usage(span), from_events(span), {}
  for id in pairs(usage) do
    all[#all + 1] = id
  end
  for id in pairs(events) do
    if not usage[id] then
      all[#all + 1] = id
    end
  end
  table.sort(all)
  report(missing(all, events), "only usage lists, not billing events")
  report(missing(all, usage), "only billing events list, not usage")
  if #all == 0 then
    core.log.warn("no endpoint was used in this span: nothing is listed",
                  { from = core.format_time(span.from),
                    to = core.format_time(span.to) })
  end
  return all
end

return endpoints
