--- "auto": every endpoint that has requests in a span of time.
---
--- Three sources, because each can miss something: usage knows what was
--- counted, billing events what was billed, search what was made. The union
--- is used, and differences are reported. If one fails, so does the whole.
---
---   usage, billing events   asked for the span, read to the end
---   search                  knows no span: from the newest row back to the
---                           start of the span, and PAGES_MAX pages at most;
---                           it vouches for nothing older than it reached
local core = require "core"
local pages = require "fal.pages"

local endpoints = {}

local USAGE <const> = "/models/usage"
local EVENTS <const> = "/models/billing-events"
local SEARCH <const> = "/models/requests/search"
local DAY <const> = 24 * 3600 * 1000
local EVENTS_SPAN <const> = 90 * DAY
local LONGEST <const> = DAY     -- that a request takes, from sent to ended
local PAGES_MAX <const> = 100   -- of search
local SHOWN <const> = 10

endpoints.SOURCES = {
  { name = "usage", title = "usage" },
  { name = "events", title = "billing events" },
  { name = "search", title = "search" },
}

local function id_of(path, list, place, item)
  local id = type(item) == "table" and item.endpoint_id or nil
  if type(id) ~= "string" or id == "" or id:find "%c" then
    pages.fail(path, "%s[%d].endpoint_id is %s, not the id of an endpoint",
               list, place, pages.kind(id))
  end
  return id
end

--- The record of an endpoint in `found`: id -> {count, ...}.
local function add(found, id)
  local record = found[id] or { count = 0 }
  found[id], record.count = record, record.count + 1
  return record
end

--- The query with the endpoints that are asked for alone, if any.
local function of_only(query, only)
  for _, id in ipairs(only or {}) do
    query[#query + 1] = { "endpoint_id", id }
  end
  return query
end

local function collect(found, path, list, query, note)
  local spec = { path = path, list = list, key = "admin", query = query }
  for items in pages.walk(spec) do
    for place, item in ipairs(items) do
      note(add(found, id_of(path, list, place, item)), item)
    end
  end
end

local function note_quantity(record, item)
  local quantity, unit = item.quantity, item.unit
  if math.type(quantity) and type(unit) == "string" then
    record.units = record.units or {}
    record.units[unit] = (record.units[unit] or 0) + quantity
  end
end

local function from_usage(span, only)
  local found = {}
  collect(found, USAGE, "summary", of_only({
    { "start", core.format_time(span.from) },
    { "end", core.format_time(span.to) },
    { "expand", "summary" },
  }, only), note_quantity)
  return found
end

local function note_newest(record, item)
  local at = type(item.timestamp) == "string" and
    core.parse_time(item.timestamp)
  record.newest = math.max(record.newest or 0, at or 0)
end

local function from_events(span, only)
  local found = {}
  for from = span.from, span.to - 1, EVENTS_SPAN do
    local to = math.min(from + EVENTS_SPAN, span.to)
    collect(found, EVENTS, "billing_events", of_only({
      { "start", core.format_time(from) },
      { "end", core.format_time(to) },
      { "limit", 1000 },
    }, only), note_newest)
  end
  return found
end

--- A time of a row of search, in ms; nil where it may be missing and is.
local function time_of(place, item, name, may_miss)
  local field = pages.value(item[name])
  local ms = type(field) == "string" and core.parse_time(field) or nil
  if not ms and not (may_miss and field == nil) then
    pages.fail(SEARCH, "results[%d].%s is %s, not a time", place, name,
               pages.kind(field))
  end
  return ms
end

--- Adds the rows of a page that lie in the span, or touch it; when its
--- oldest row was sent, and its newest.
local function take_found(found, span, items)
  local oldest, newest = math.maxinteger, 0
  for place, item in ipairs(items) do
    local id = id_of(SEARCH, "results", place, item)
    local sent = time_of(place, item, "sent_at")
    local ended = time_of(place, item, "ended_at", true)
    oldest, newest = math.min(oldest, sent), math.max(newest, sent)
    if sent < span.to and (not ended or ended >= span.from) then
      add(found, id)
    end
  end
  return oldest, newest
end

--- What it found, and when the oldest row that it read was sent; nil when it
--- read all of the span.
local function from_search(span, only)
  local found, count, reached = {}, 0, math.maxinteger
  local spec = { path = SEARCH, list = "results", key = "list",
                 query = of_only({ { "limit", 100 } }, only) }
  for items, more in pages.walk(spec) do
    local oldest, newest = take_found(found, span, items)
    count, reached = count + 1, math.min(reached, oldest)
    if not more or #items > 0 and newest < span.from - LONGEST then
      break
    elseif count >= PAGES_MAX then
      return found, reached
    end
  end
  return found
end

--- What a source gives; it raises as the source does.
local function from(path, read, span, only)
  local ok, found, reached = pcall(read, span, only)
  if ok then
    return found, reached
  elseif not only and type(found) == "table" and
    found.http_status == 403 then
    core.log.error(("the key may not GET %s, and \"auto\" needs all of its "
      .. "sources: name the endpoints instead"):format(path))
  end
  error(found, 0)
end

local function report(names, sentence)
  if #names == 0 then
    return
  end
  local shown = table.concat(names, ", ", 1, math.min(#names, SHOWN))
  core.log.info(sentence, { endpoints = shown, count = #names })
end

--- Whether search should have found what another source has: what was used
--- after the time that it reached. Only billing events say when.
local function vouched(sources, id)
  local event = sources.events[id]
  return not sources.reached or event ~= nil and
    event.newest >= sources.reached + LONGEST
end

--- The sources that have an endpoint, and those that lack it though they
--- should not.
function endpoints.who(sources, id)
  local has, lacks = {}, {}
  for _, source in ipairs(endpoints.SOURCES) do
    if sources[source.name][id] then
      has[#has + 1] = source.title
    elseif source.name ~= "search" or vouched(sources, id) then
      lacks[#lacks + 1] = source.title
    end
  end
  return has, lacks
end

--- One line for each way in which the sources differ.
local function report_all(sources, all)
  local ways, order = {}, {}
  for _, id in ipairs(all) do
    local has, lacks = endpoints.who(sources, id)
    local way = ("only %s list%s, not %s"):format(table.concat(has, " and "),
      #has == 1 and has[1] ~= "billing events" and "s" or "",
      table.concat(lacks, " and "))
    if #lacks > 0 and not ways[way] then
      ways[way], order[#order + 1] = {}, way
    end
    if #lacks > 0 then
      table.insert(ways[way], id)
    end
  end
  for _, way in ipairs(order) do
    report(ways[way], way)
  end
end

--- What each source has of a span, each as id -> {count, ...}:
---   usage    units: unit -> quantity, as it counts no requests
---   events   newest: when the last one was billed, in ms
---   search   and `reached`, in ms, when it did not reach the start
--- `all`: the ids of all, sorted. `only`: asks for these endpoints alone.
--- Waits, and raises if a source fails.
---@param span {from:integer, to:integer}
---@param only string[]?
function endpoints.sources(span, only)
  local sources = { all = {}, usage = from(USAGE, from_usage, span, only),
                    events = from(EVENTS, from_events, span, only) }
  sources.search, sources.reached = from(SEARCH, from_search, span, only)
  local seen = {}
  for _, source in ipairs(endpoints.SOURCES) do
    for id in pairs(sources[source.name]) do
      sources.all[#sources.all + 1] = not seen[id] and id or nil
      seen[id] = true
    end
  end
  table.sort(sources.all)
  return sources
end

--- A sorted list of endpoint ids. Waits, and raises if a source fails.
---@param span {from:integer, to:integer}
function endpoints.find(span)
  local sources = endpoints.sources(span)
  report_all(sources, sources.all)
  if sources.reached then
    core.log.info("search was read to page " .. PAGES_MAX .. ": of what was "
      .. "sent before, only usage and billing events tell",
      { sent_at = core.format_time(sources.reached) })
  end
  if #sources.all == 0 then
    core.log.warn("no endpoint was used in this span: nothing is listed",
                  { from = core.format_time(span.from),
                    to = core.format_time(span.to) })
  end
  return sources.all
end

return endpoints
