--- falrun coverage: what each source of endpoints has, and what is not looked
--- at yet.
---
---   usage, billing events, search --> endpoints --> which of them has it
---   looked (the ledger) ---------------------------> windows that are left
local cli = require "fal.cli"
local core = require "core"
local endpoints = require "fal.endpoints"
local host = require "host"
local selection = require "fal.selection"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "endpoint", value = "ID", many = true,
    help = "this endpoint only, several times for several" },
  { name = "older-than", value = "DUR",
    help = "what ended longer ago than this, like 30d" },
  { name = "start", value = "TIME",
    help = "ended at or after this time, like 2026-01-02T03:04:05Z" },
  { name = "end", value = "TIME", help = "ended before this time" },
}
local ENDPOINTS_MOST <const> = 50

local COLUMNS <const> = {
  { title = "ENDPOINT", shrink = true, always = true },
  { title = "USAGE", right = true, always = true },
  { title = "EVENTS", right = true, always = true },
  { title = "SEARCH", right = true, always = true },
  { title = "NOT LOOKED AT", right = true },
  { title = "ONLY IN", shrink = true },
}
local WINDOWS <const> = {
  { title = "NOT LOOKED AT FROM" }, { title = "TO" },
  { title = "ENDPOINT", shrink = true },
}

-- ---- the ledger ------------------------------------------------------------

--- endpoint -> the windows that runs looked at; nil when there are none at all.
local function looked_at()
  local found = {}
  for _, row in ipairs(host.ledger.looked()) do
    found[row.endpoint] = found[row.endpoint] or {}
    table.insert(found[row.endpoint], row)
  end
  return next(found) and found or nil
end

--- The windows of the span without these, which are sorted by their start.
local function gaps(span, windows)
  local left, at = core.json.array {}, span.from
  local function add(to)
    if to > at then
      left[#left + 1] = { from = core.format_time(at),
                          to = core.format_time(to), ms = to - at }
    end
  end
  for _, window in ipairs(windows) do
    add(math.min(window.from_ms, span.to))
    at = math.max(at, window.to_ms)
  end
  add(span.to)
  return left
end

-- ---- an endpoint -----------------------------------------------------------

--- What is known of one endpoint, as --json shows it.
local function describe(sources, id, span, looked)
  local has, lacks = endpoints.who(sources, id)
  local usage, events = sources.usage[id], sources.events[id]
  local search = sources.search[id]
  local one = {
    endpoint_id = id, usage = usage and (usage.units or {}),
    events = events and events.count, search = search and search.count,
    listed_by = core.json.array(has), not_listed_by = core.json.array(lacks),
    not_looked_at = looked and gaps(span, looked[id] or {}),
  }
  for _, window in ipairs(one.not_looked_at or {}) do
    one.left_ms = (one.left_ms or 0) + window.ms
    window.ms = nil
  end
  return one
end

--- "1,234 image", or "yes" where it counts in several units.
local function usage_cell(units)
  local unit, quantity = next(units or {})
  if not units then
    return "-"
  elseif not unit or next(units, unit) then
    return "yes"
  end
  return (math.tointeger(quantity) and text.number(quantity) or
          ("%.1f"):format(quantity)) .. " " .. text.cut(unit, 12)
end

local function search_cell(one)
  if one.search then
    return text.number(one.search)
  end
  for _, title in ipairs(one.not_listed_by) do
    if title == "search" then
      return "-"
    end
  end
  return "?"
end

local function left_cell(one)
  local count = #(one.not_looked_at or {})
  if not one.not_looked_at then
    return nil
  elseif count == 0 then
    return "nothing"
  end
  return text.age(one.left_ms // 1000) ..
    (count > 1 and (" in %s"):format(text.number(count)) or "")
end

local function row_of(one)
  return { one.endpoint_id, usage_cell(one.usage),
           one.events and text.number(one.events) or "-", search_cell(one),
           left_cell(one), not one.listed_by[2] and one.listed_by[1] or nil }
end

-- ---- the whole -------------------------------------------------------------

local function print_windows(list)
  local rows = {}
  for _, one in ipairs(list) do
    for _, window in ipairs(one.not_looked_at) do
      rows[#rows + 1] = { window.from, window.to, one.endpoint_id }
    end
  end
  if rows[1] then
    host.write("\n")
    text.table(host, WINDOWS, rows)
  end
end

local function explain(sources, looked)
  if sources.reached then
    core.log.info("search was read to page 100; ? is what it did not reach",
                  { sent_at = core.format_time(sources.reached) })
  end
  if not looked then
    core.log.info("no run has recorded a window that it looked at")
  end
end

local function print_table(list, sources, looked, windows)
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = row_of(one)
  end
  if rows[1] then
    text.table(host, COLUMNS, rows)
  end
  if looked and windows then
    print_windows(list)
  end
  if not host.options.quiet then
    explain(sources, looked)
    core.log.info(text.count(#list, "endpoint", "endpoints"))
  end
end

local function print_json(list, sources, span)
  for _, one in ipairs(list) do
    one.left_ms = nil
  end
  host.write(core.json.encode {
    from = core.format_time(span.from), to = core.format_time(span.to),
    search_reached = sources.reached and core.format_time(sources.reached),
    endpoints = core.json.array(list),
  } .. "\n")
end

--- Of a list that is asked for, each is shown, whoever has it.
local function describe_all(sources, only, span, looked)
  local names, list = only or sources.all, {}
  table.sort(names)
  for i, id in ipairs(names) do
    list[i] = describe(sources, id, span, looked)
  end
  return list
end

local function run()
  local given, words = cli.parse(host, "coverage", OPTIONS)
  local only = given.endpoint
  if words[1] then
    host.usage(("falrun coverage takes options only, but got \"%s\"")
      :format(text.clean(words[1]:sub(1, 60))))
  elseif only and #only > ENDPOINTS_MOST then
    host.usage(("--endpoint: at most %d of them; without any, all are shown")
      :format(ENDPOINTS_MOST))
  end
  local asked = cli.checked(host, selection.new, {
    endpoint_id = only or "auto", older_than = given["older-than"],
    start = given.start, ["end"] = given["end"] })
  local span = asked.sent
  only = only and asked.endpoints ~= "auto" and asked.endpoints or nil
  local sources, looked = endpoints.sources(span, only), looked_at()
  local list = describe_all(sources, only, span, looked)
  if host.options.json then
    print_json(list, sources, span)
  else
    print_table(list, sources, looked, only ~= nil)
  end
end

return {
  summary = "what usage, billing events and search list, by endpoint",
  usage = "falrun coverage [--endpoint ID] [filters]",
  help = [[
Which endpoints "auto" finds in a span, and where: a quantity of usage, the
billing events, and the rows of search. "-" is an endpoint that the source does
not list, "?" one that search did not reach: it is read from the newest request
back, for 100 pages. ONLY IN names the one source that has an endpoint. Where
runs have recorded windows that they looked at, the time that none of them
covers is shown, and with --endpoint each such window. Nothing is changed.

Examples:
  falrun coverage --older-than 30d
  falrun coverage --endpoint fal-ai/flux/dev --start 2026-01-01
  falrun coverage --json | jq '.endpoints[] | select(.not_listed_by[0])'
]],
  options = OPTIONS,
  run = run,
}
