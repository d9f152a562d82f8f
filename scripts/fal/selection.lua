--- The options of fal.requests, checked whole before anything is read.
local core = require "core"
local check = require "fal.check"
local shapes = require "fal.shapes"

local selection = {}

local KNOWN <const> = shapes.names "requests"
local BEGINNING <const> = shapes.BEGINNING
local SECOND <const> = 1000
local OVERLAP <const> = "48h"           -- rows arrive late
local LONGEST_ENDPOINT <const> = 500

local function fail(name, ...)
  check.fail("requests", name, ...)
end

local function check_endpoint(id)
  if type(id) ~= "string" or id == "" then
    fail("endpoint_id", "the id of an endpoint, like \"fal-ai/flux/dev\", "
         .. "is needed, got %s", check.show(id))
  elseif id:find("[,%s%c]") or #id > LONGEST_ENDPOINT then
    fail("endpoint_id", "not the id of an endpoint: %s; several are "
         .. "written as a list", check.show(id))
  elseif id == "auto" then
    fail("endpoint_id", "\"auto\" means all endpoints: it stands alone, not "
         .. "in a list")
  elseif id == "*" or id == "all" then
    fail("endpoint_id", "all endpoints are written \"auto\", not %s",
         check.show(id))
  elseif id:find "://" then
    fail("endpoint_id", "the id of an endpoint is needed, like "
         .. "\"fal-ai/flux/dev\", not its address: %s", check.show(id))
  end
end

--- A list without doubles, or "auto".
local function endpoints(value)
  if value == nil then
    fail("endpoint_id", "the API lists by endpoint: name one, a list, or "
         .. "\"auto\" for all that were used")
  elseif value == "auto" then
    return "auto"
  elseif type(value) ~= "table" then
    value = { value }
  elseif next(value) == nil then
    fail("endpoint_id", "the list is empty: name an endpoint, or \"auto\" "
         .. "for all that were used")
  elseif #value == 0 then
    fail("endpoint_id", "a list is needed, like { \"fal-ai/flux/dev\" }, and "
         .. "this table has names instead of entries")
  end
  local list, seen = {}, {}
  for _, id in ipairs(value) do
    check_endpoint(id)
    if not seen[id] then
      list[#list + 1], seen[id] = id, true
    end
  end
  return list
end

--- Before when a request must have ended, in ms; and which option says so.
local function cutoff(options, now)
  local to, name = now, nil
  if options.older_than ~= nil then
    to = now - check.duration("requests", "older_than", options.older_than)
    name = "older_than"
  end
  if options["end"] ~= nil then
    local at = check.time("requests", "end", options["end"])
    if at > now then
      fail("end", "%s is in the future, and what has not ended cannot be "
           .. "listed: leave it out, or write older_than",
           check.show(options["end"]))
    elseif at < to or not name then
      to, name = at, "end"
    end
  end
  return to, name
end

local function check_window(from, to, name, options, now)
  if from < to then
    return
  elseif options.start ~= nil then
    fail("start", "the window is empty: %s is not before its end, %s: "
         .. "write an earlier start, or a later end",
         check.show(options.start), core.format_time(to))
  end
  fail(name or "end", "the window is empty: there are no requests from "
       .. "before %s; %s", BEGINNING, now > from and "write a later end" or
       "the clock of this machine is wrong, it says "
       .. core.format_time(now))
end

--- since = "last": how much of what runs have looked at is listed again; nil:
--- all is listed. A filter would leave out rows that nobody looked at then.
local function overlap_of(options)
  if options.since == nil then
    if options.overlap ~= nil then
      fail("overlap", "it goes with since = \"last\"")
    end
    return nil
  end
  check.choice("requests", "since", options.since, { "last" })
  for _, name in ipairs { "start", "status", "request_id" } do
    if options[name] ~= nil then
      fail(name, name == "start" and "since = \"last\" says where to begin: "
           .. "leave one of them out" or "it cannot stand with since = "
           .. "\"last\", which needs to see every row: choose in where, or in "
           .. "the loop")
    end
  end
  return check.duration("requests", "overlap", options.overlap or OVERLAP)
end

--- Checks and pins the selection of one list.
function selection.new(options)
  options = check.options("requests", options, KNOWN)
  local now = core.at() // SECOND * SECOND
  local list = { endpoints = endpoints(options.endpoint_id),
                 overlap = overlap_of(options) }
  local by
  list.before, by = cutoff(options, now)
  list.older_than = options.older_than
  list.narrows = by ~= nil or options.status ~= nil or
    options.request_id ~= nil
  list.from = core.parse_time(BEGINNING)
  if options.start ~= nil then
    list.from = check.time("requests", "start", options.start)
    list.after = list.from
  end
  check_window(list.from, list.before, by, options, now)
  list.sent = { from = list.from // SECOND * SECOND,
                to = -(-list.before // SECOND) * SECOND }
  if options.status ~= nil then
    list.status = check.choice("requests", "status", options.status,
                               shapes.STATUSES)
  end
  if options.request_id ~= nil and not core.parse_id(options.request_id) then
    fail("request_id", "%s", check.no_id(options.request_id))
  end
  list.request_id = options.request_id
  list.limit = options.limit == nil and 100 or
    check.integer("requests", "limit", options.limit, 1, 100)
  return list
end

local function has_status(list, request)
  local code = request.status_code
  if not list.status or not code then
    return true
  end
  return (list.status == "success") == (code < 400)
end

--- Whether the selection has the request, whatever the API filtered by. What
--- has no ended_at may still be running and is never selected; the second
--- value is true when only that keeps it out.
function selection.has(list, request, ended_ms)
  if not has_status(list, request) then
    return false
  elseif not ended_ms then
    return false, true
  end
  return ended_ms < list.before and (not list.after or ended_ms >= list.after)
end

return selection
