--- Keep rules: what a policy leaves alone, in restic's vocabulary.
---
---   keep.any { last = 10, keep.all { daily = 7, within = "30d" } }
---
--- As in restic: last and the periods count items and periods that exist, so
--- a pause of a year erases nothing, and of a period its newest item stays.
--- Otherwise than there: `within` counts from now, not from the newest item,
--- and when there are fewer periods than asked for the oldest item is not
--- kept as well.
---
--- A rule is read-only. What it holds lies in `parts`, out of reach of
--- policies; keeping.lua evaluates it.
local core = require "core"
local check = require "fal.check"
local periods = require "fal.periods"
local shapes = require "fal.shapes"
local text = require "fal.text"

local keep = {}

local COUNTS <const> = { "last", "hourly", "daily", "weekly", "monthly",
                         "yearly" }
local KNOWN <const> = shapes.names "keep"
local FIELDS <const> = shapes.GROUPS
local MOST <const> = 1000000000

local parts = setmetatable({}, { __mode = "k" })

local meta = { __metatable = "a keep rule", __name = "keep rule" }

function meta.__newindex()
  check.fail("keep", "rule", "a rule cannot be changed; write another one")
end

function meta.__tostring(rule)
  return keep.describe(rule)
end

-- ---- checking ----------------------------------------------------------

--- Splits the argument: the nested rules in order, and the named options.
local function split(func, options)
  if type(options) ~= "table" or parts[options] then
    check.fail(func, "options", "a table like { last = 10 } is needed, got "
               .. "%s", parts[options] and "a rule" or type(options))
  end
  local nested, named, most, count = {}, {}, 0, 0
  for key, value in pairs(options) do
    if math.type(key) == "integer" and key >= 1 then
      nested[key], most, count = value, math.max(most, key), count + 1
    else
      named[key] = value
    end
  end
  for place = 1, math.min(most, count + 1) do
    local entry = nested[place]
    if not parts[entry or false] then
      check.fail(func, "options", "entry %d is %s; an entry without a name is "
                 .. "a rule: fal.keep.any {...} or fal.keep.all {...}", place,
                 entry == nil and "missing" or type(entry) == "table" and
                 "a plain table" or check.show(entry))
    end
  end
  return nested, check.options(func, named, KNOWN)
end

local function check_by(func, by)
  if by == nil or type(by) == "function" then
    return by
  elseif by == "request_id" then
    check.fail(func, "by", "by request_id every item is a group of its own, "
               .. "and all would be kept: name another field, like "
               .. "endpoint_id")
  end
  for _, field in ipairs(FIELDS) do
    if by == field then
      return by
    end
  end
  local near = type(by) == "string" and core.nearest(by, FIELDS)
  check.fail(func, "by", "%s is no field of a request%s; the fields are: %s; "
             .. "anything else is found by a function",
             check.show(by), near and (" (did you mean '%s'?)"):format(near)
             or "", table.concat(FIELDS, ", "))
end

local function check_zone(func, zone)
  if zone == nil then
    return nil
  elseif type(zone) ~= "string" or not periods.zone(zone) then
    check.fail(func, "zone", "%s is no time zone; \"UTC\", \"+02:00\" and "
               .. "names like \"Europe/Berlin\" are, and names need the "
               .. "package tzdata", check.show(zone))
  end
  return zone
end

local function check_within(func, within)
  local ms = check.duration(func, "within", within)
  if ms <= 0 then
    check.fail(func, "within", "%s keeps nothing: write how long, like "
               .. "\"30d\"", check.show(within))
  end
  return { kind = "within", ms = ms, words = "within " .. within }
end

--- The entries in the order of the vocabulary, and then the nested rules.
local function entries(func, named, nested)
  local list = {}
  for _, kind in ipairs(COUNTS) do
    if named[kind] ~= nil then
      local n = check.integer(func, kind, named[kind], 1, MOST)
      list[#list + 1] = { kind = kind, n = n,
                          words = ("%s %d"):format(kind, n) }
    end
  end
  if named.within ~= nil then
    list[#list + 1] = check_within(func, named.within)
  end
  for _, rule in ipairs(nested) do
    list[#list + 1] = parts[rule]
  end
  if #list == 0 then
    check.fail(func, "options", "the rule is empty: one of %s or within is "
               .. "needed, or another rule", table.concat(COUNTS, ", "))
  end
  return list
end

local function new(mode, options)
  local func = "keep." .. mode
  local nested, named = split(func, options)
  local rule = {}
  parts[rule] = {
    mode = mode, func = func,
    entries = entries(func, named, nested),
    by = check_by(func, named.by),
    zone = check_zone(func, named.zone),
  }
  return setmetatable(rule, meta)
end

-- ---- rules -------------------------------------------------------------

--- An item is kept when at least one entry keeps it.
function keep.any(options)
  return new("any", options)
end

--- An item is kept when every entry keeps it.
function keep.all(options)
  return new("all", options)
end

--- A rule as it is; a plain table of options means keep.any.
function keep.rule(value, func, name)
  if type(value) ~= "table" then
    check.fail(func, name, "a rule like fal.keep.any { last = 10 } or a table "
               .. "like { last = 10 } is needed, got %s", check.show(value))
  end
  return parts[value] and value or keep.any(value)
end

--- What a rule holds: { mode, func, entries, by, zone }. An entry is such a
--- table again, or { kind = "last" to "yearly", n, words }, or
--- { kind = "within", ms, words }.
function keep.parts(rule)
  return parts[rule]
end

-- ---- in words ----------------------------------------------------------

local function has_periods(node)
  for _, entry in ipairs(node.entries) do
    if entry.kind and entry.kind ~= "last" and entry.kind ~= "within" or
      entry.mode and has_periods(entry) then
      return true
    end
  end
  return false
end

local function describe(node, zone)
  local list = {}
  for i, entry in ipairs(node.entries) do
    list[i] = entry.words or "(" .. describe(entry, entry.zone) .. ")"
  end
  local words = node.mode .. " of: " .. table.concat(list, ", ")
  if node.by then
    words = words .. "; by " .. (type(node.by) == "string" and node.by
                                 or "a function")
  end
  return zone and words .. "; zone " .. text.clean(zone) or words
end

--- "any of: last 100, daily 7; by endpoint_id; zone UTC". The zone is named
--- where it decides something.
function keep.describe(rule)
  local node = parts[rule]
  return describe(node, node.zone or has_periods(node) and "UTC" or nil)
end

local function horizon(node)
  local result
  for _, entry in ipairs(node.entries) do
    local ms = entry.mode and horizon(entry) or entry.ms
    if not ms then
      return nil
    end
    local pick = node.mode == "any" and math.max or math.min
    result = result and pick(result, ms) or ms
  end
  return result
end

--- The age in ms from which on a rule of nothing but `within` keeps nothing;
--- nil when what is kept depends on other items too.
function keep.horizon(rule)
  return horizon(parts[rule])
end

return keep
