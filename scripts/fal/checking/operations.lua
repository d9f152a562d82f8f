--- The operations of the Platform API as shapes: their names, and what each
--- is given, from the table of operations.
local kinds = require "fal.checking.kinds"
local operations = require "fal.operations"
local shapes = require "fal.shapes"
local values = require "fal.checking.values"

local of_operations = {}

--- Kinds of the checker by types of the table; others are the run's to check.
local KINDS <const> = { integer = "integer", number = "number",
  boolean = "boolean", time = "time", id = "id", string = "text",
  url = "text", month = "text", slug = "text", file = "text" }
local MOST <const> = 1 << 53

--- One value or a list of them; entries that are written out are checked.
kinds.add("many", function(ctx, where, spec, node)
  local kind, list = values.literal(node)
  if kind ~= "table" then
    return kinds.check(ctx, where, spec.of_one, node)
  end
  for i, entry in ipairs(values.fields(list).positional) do
    kinds.check(ctx, ("%s[%d]"):format(where, i), spec.of_one, entry)
  end
end)

kinds.add("anything", function() end)

local function shape_of(spec)
  local one = { name = spec.name, kind = KINDS[spec.type] or "anything",
                needed = spec.required }
  if spec.null then
    one.kind = "anything"
  elseif spec.values then
    one.kind, one.of = "choice", spec.values
  elseif spec.type == "integer" or spec.type == "number" then
    one.least, one.most = spec.min or -MOST, spec.max or MOST
  end
  if not spec.many then
    return one
  end
  return { name = spec.name, kind = "many", of_one = one,
           needed = spec.required }
end

local function add_field(path, name)
  local names = shapes.fields[path] or {}
  for _, known in ipairs(names) do
    if known == name then
      return
    end
  end
  names[#names + 1] = name
  shapes.fields[path] = names
end

local function add_call(path, params, options, needed)
  local group, name = path:match "^(.*)%.(.-)$"
  add_field(group, name)
  while group:find(".", 1, true) do
    local above, last = group:match "^(.*)%.(.-)$"
    add_field(above, last)
    group = above
  end
  shapes.calls[path] = {
    { name = "options", kind = "options", of = params, needed = needed },
    { name = "options", kind = "options", of = options,
      needed = options == "call_saves" },
  }
  shapes.waits[path] = true
end

local function add_row(row)
  local list, needed = {}, false
  for i, spec in ipairs(row.params) do
    list[i] = shape_of(spec)
    needed = needed or spec.required or false
  end
  shapes.options[row.name] = list
  add_call("fal." .. row.name, row.name, row.gated and "delete_payloads" or
    row.changes and "call_changes" or row.media == "bytes" and "call_saves"
    or "call", needed)
  if operations.is_list(row) then
    add_call("fal." .. row.name .. "_each", row.name, "call", needed)
    shapes.waits["fal." .. row.name .. "_each"] = nil
  end
end

--- Adds the names and options of all operations to fal.shapes, once.
function of_operations.add_shapes()
  for _, row in operations.each() do
    if not shapes.options[row.name] then
      add_row(row)
    end
  end
end

--- Whether a call by this path changes something: "fal.keys.delete".
function of_operations.changes(path)
  local row = path and operations.find(path:match "^fal%.(.*)$" or "")
  return row and row.changes ~= nil or false
end

return of_operations
