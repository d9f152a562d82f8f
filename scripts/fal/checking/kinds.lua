--- One value of the API, held against the kind that it must have.
local core = require "core"
local check = require "fal.check"
local context = require "fal.checking.context"
local durations = require "fal.checking.durations"
local periods = require "fal.periods"
local shapes = require "fal.shapes"
local values = require "fal.checking.values"

local kinds = {}

local ARTICLES <const> = { ["function"] = "a function", table = "a table",
  string = "text", number = "a number", boolean = "true or false",
  ["table with names"] = "a table with names" }
local kind_of = {}

--- " (did you mean 'x'?)", or nothing.
function kinds.near(word, words)
  local near = type(word) == "string" and core.nearest(word, words)
  return near and (" (did you mean '%s'?)"):format(near) or ""
end

local function wrong(ctx, where, node, wanted, got)
  context.report(ctx, "wrong-type", node.token, ("%s: %s is needed, not %s")
    :format(where, wanted, ARTICLES[got] or got))
end

--- A literal of another type than wanted is reported; its value else.
local function literal(ctx, where, node, type, wanted)
  local got, value = values.literal(node)
  if got == type then
    return value
  elseif got and got ~= "nil" then
    wrong(ctx, where, node, wanted or ARTICLES[type], got)
  end
end

local function out_of_range(ctx, where, node, what, spec, value)
  context.report(ctx, "out-of-range", node.token, ("%s: %s from %d to %d is "
    .. "needed, not %s"):format(where, what, spec.least, spec.most, value))
end

function kind_of.integer(ctx, where, spec, node)
  local value = literal(ctx, where, node, "number", "a whole number")
  local whole = value and math.tointeger(value)
  if value and (not whole or whole < spec.least or whole > spec.most) then
    out_of_range(ctx, where, node, "a whole number", spec, value)
  end
end

function kind_of.number(ctx, where, spec, node)
  local value = literal(ctx, where, node, "number")
  if value and not (value >= spec.least and value <= spec.most) then
    out_of_range(ctx, where, node, "a number", spec, value)
  end
end

function kind_of.duration(ctx, where, spec, node)
  local ms = durations.duration(ctx, where, node)
  if ms == 0 and spec.positive then
    context.report(ctx, "bad-value", node.token, where .. ": it keeps nothing")
  elseif ms and spec.most and (ms < spec.least or ms > spec.most) then
    context.report(ctx, "out-of-range", node.token, ("%s: %s is needed")
      :format(where, spec.words))
  end
end

--- Names of zones are known where the package tzdata is.
local function is_known_zone(value)
  return periods.zone(value) or (value:find "/" and
    not periods.zone "Europe/London")
end

function kind_of.zone(ctx, where, _, node)
  local value = literal(ctx, where, node, "string")
  if value and not is_known_zone(value) then
    context.report(ctx, "bad-value", node.token, ("%s: %s is no time zone")
      :format(where, check.show(value)), '"UTC", "+02:00" and names like '
      .. '"Europe/Berlin" are')
  end
end

function kind_of.time(ctx, where, _, node)
  durations.time(ctx, where, node)
end

--- Whoever takes it looks for himself.
function kind_of.any()
end

function kind_of.table(ctx, where, _, node)
  literal(ctx, where, node, "table")
end

function kind_of.boolean(ctx, where, _, node)
  literal(ctx, where, node, "boolean")
end

kind_of["function"] = function(ctx, where, _, node)
  literal(ctx, where, node, "function")
end

function kind_of.text(ctx, where, spec, node)
  local value = literal(ctx, where, node, "string")
  if value and spec.most and (value == "" or #value > spec.most) then
    context.report(ctx, "bad-value", node.token, ("%s: text of 1 to %d bytes "
      .. "is needed"):format(where, spec.most))
  end
end

function kind_of.reason(ctx, where, spec, node)
  if values.literal(node) ~= "function" then
    kind_of.text(ctx, where, spec, node)
  end
end

function kind_of.name(ctx, where, _, node)
  local value = literal(ctx, where, node, "string")
  if value and (#value > 64 or not value:find("^%w[%w._-]*$")) then
    context.report(ctx, "bad-value", node.token, ("%s: %s has other than 1 to "
      .. "64 letters, digits, '.', '_' or '-'"):format(where,
      check.show(value)))
  end
end

local function unknown_choice(ctx, where, node, value, words)
  context.report(ctx, "unknown-choice", node.token, ('%s: %s is none of "%s"%s')
    :format(where, check.show(value), table.concat(words, '", "'),
            kinds.near(value, words)))
end

function kind_of.choice(ctx, where, spec, node)
  local value = literal(ctx, where, node, "string")
  for _, choice in ipairs(spec.of) do
    if value == choice then
      return
    end
  end
  if value then
    unknown_choice(ctx, where, node, value, spec.of)
  end
end

function kind_of.by(ctx, where, spec, node)
  if values.literal(node) ~= "function" then
    kind_of.choice(ctx, where, spec, node)
  end
end

function kind_of.id(ctx, where, _, node)
  local value = literal(ctx, where, node, "string", "a request id")
  if value and not core.parse_id(value) then
    context.report(ctx, "bad-id", node.token, ("%s: %s is no request id")
      :format(where, check.show(value)), core.parse_id(value:lower()) and
      "ids are written in lower case" or "a UUID in lower case is")
  end
end

local function one_endpoint(ctx, where, node, alone)
  local value = literal(ctx, where, node, "string", "the id of an endpoint")
  if not value then
    return
  elseif value == "" or value:find("[,%s%c]") or #value > 500 then
    context.report(ctx, "bad-value", node.token, ("%s: %s is not the id of an "
      .. "endpoint"):format(where, check.show(value)),
      "several are written as a list: { \"fal-ai/flux/dev\", ... }")
  elseif value == "*" or value == "all" then
    context.report(ctx, "bad-value", node.token, ("%s: all endpoints are not "
      .. "%s"):format(where, check.show(value)), 'write "auto"')
  elseif value:find "://" then
    context.report(ctx, "bad-value", node.token, ("%s: the id of an endpoint "
      .. "is needed, not its address"):format(where),
      'ids are like "fal-ai/flux/dev"')
  elseif value == "auto" and not alone then
    context.report(ctx, "bad-value", node.token, where .. ": \"auto\" means "
      .. "all endpoints: it stands alone, not in a list")
  end
end

--- A table whose entries all have names, where a list is needed.
local function is_record(list)
  local fields = values.fields(list)
  return fields.order[1] and not fields.open and not fields.positional[1]
end

function kind_of.endpoint(ctx, where, _, node)
  local kind, list = values.literal(node)
  if kind ~= "table" then
    return one_endpoint(ctx, where, node, true)
  elseif not list.items[1] then
    context.report(ctx, "bad-value", node.token, where .. ": the list is "
      .. "empty", "name an endpoint, or \"auto\" for all that were used")
  elseif is_record(list) then
    wrong(ctx, where, node, "a list", "table with names")
  end
  for _, entry in ipairs(values.fields(list).positional) do
    one_endpoint(ctx, where, entry, false)
  end
end

--- A list of anything, or an iterator.
function kind_of.list(ctx, where, _, node)
  local kind, list = values.literal(node)
  if kind == "table" and is_record(list) then
    wrong(ctx, where, node, "a list or an iterator", "table with names")
  elseif kind and kind ~= "table" and kind ~= "function" and kind ~= "nil" then
    wrong(ctx, where, node, "a list or an iterator, like fal.requests gives,",
          kind)
  end
end

--- The same of requests or ids; ids that are written out are ids.
function kind_of.items(ctx, where, given, node)
  local kind, list = values.literal(node)
  kind_of.list(ctx, where, given, node)
  if kind ~= "table" then
    return
  end
  for i, entry in ipairs(values.fields(list).positional) do
    if values.literal(entry) ~= "table" then
      kind_of.id(ctx, ("%s: item %d"):format(where, i), nil, entry)
    end
  end
end

local function check_keeps(ctx, where, node)
  local _, list = values.literal(node)
  for _, item in ipairs(list.items) do
    local kind, name = "string", nil
    if item.key then
      kind, name = values.literal(item.key)
    end
    if kind ~= "string" or (name ~= "by" and name ~= "zone") then
      return
    end
  end
  context.report(ctx, "bad-value", node.token, where .. ": the rule is empty: "
    .. "it keeps nothing", "write { last = 10 }, or another rule")
end

function kind_of.rule(ctx, where, _, node)
  local kind = values.literal(node)
  if kind == "table" then
    kinds.options(ctx, where, "keep", node)
    check_keeps(ctx, where, node)
  elseif kind and kind ~= "nil" then
    wrong(ctx, where, node, "a rule like fal.keep.any { last = 10 }", kind)
  end
end

local function one_source(ctx, where, node)
  local kind = values.literal(node)
  if kind and kind ~= "nil" then
    wrong(ctx, where, node, 'a source like fal.hold.file "FILE"', kind)
  end
end

function kind_of.sources(ctx, where, _, node)
  local kind, list = values.literal(node)
  if kind ~= "table" then
    return one_source(ctx, where, node)
  end
  if not list.items[1] then
    context.report(ctx, "bad-value", node.token, where .. ": the list is "
      .. "empty", "leave it out, or name a source")
  end
  for _, entry in ipairs(values.fields(list).positional) do
    one_source(ctx, where, entry)
  end
end

function kind_of.options(ctx, where, spec, node)
  if literal(ctx, where, node, "table") then
    kinds.options(ctx, where, spec.of, node)
    if spec.of == "keep" then
      check_keeps(ctx, where, node)
    end
  end
end

-- ---- tables of options ----------------------------------------------------

local function entry_without_name(ctx, where, shape, node)
  local kind = values.literal(node)
  if not shape.positional then
    context.report(ctx, "unknown-option", node.token, where .. ": an option "
      .. "is written name = value; this value has no name")
  elseif kind and kind ~= "nil" then
    wrong(ctx, where, node, "an entry without a name is a rule: fal.keep.any "
      .. "{...} or fal.keep.all {...}", kind)
  end
end

local function named_entry(ctx, where, specs, of, entry)
  local spec, names = specs[entry.name], shapes.names(of)
  if spec then
    kinds.check(ctx, ("%s of %s"):format(entry.name, where), spec,
                entry.item.value)
    return
  end
  local near = kinds.near(entry.name, names)
  context.report(ctx, "unknown-option", entry.item.key.token,
    ("%s: there is no option %s%s"):format(where, check.show(entry.name),
    near), near == "" and "the options are: " .. table.concat(names, ", ")
    or nil)
end

local function report_needed(ctx, where, shape, fields, node)
  for _, spec in ipairs(shape) do
    if spec.needed and not fields.open and
      not values.field(fields, spec.name) then
      context.report(ctx, "missing", node.token, ("%s: %s is missing")
        :format(where, spec.name))
    end
  end
end

--- A table of options that is written out: all that is in it, or not.
function kinds.options(ctx, where, of, node)
  local _, list = values.literal(node)
  local fields, shape, specs = values.fields(list), shapes.options[of], {}
  for _, spec in ipairs(shape) do
    specs[spec.name] = spec
  end
  for _, item in ipairs(fields.doubles) do
    context.report(ctx, "duplicate-option", item.key.token, where .. ": this "
      .. "option is here twice, and only the last counts")
  end
  for _, entry in ipairs(fields.order) do
    named_entry(ctx, where, specs, of, entry)
  end
  for _, value in ipairs(fields.positional) do
    entry_without_name(ctx, where, shape, value)
  end
  report_needed(ctx, where, shape, fields, node)
end

--- Another kind: f(ctx, where, spec, node).
function kinds.add(name, f)
  kind_of[name] = f
end

--- Reports what is certainly wrong about a value.
function kinds.check(ctx, where, spec, node)
  kind_of[spec.kind](ctx, where, spec, node)
end

return kinds
