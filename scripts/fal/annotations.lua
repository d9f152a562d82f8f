--- The annotations of the operations, from their table, for `falrun types`.
local operations = require "fal.operations"

local annotations = {}

local TYPES <const> = { string = "string", integer = "integer",
  number = "number", boolean = "boolean", time = "fal.Time", id = "fal.Id",
  url = "string", month = "string", slug = "string", file = "string",
  object = "table", list = "table[]", any = "any" }

local function type_of(spec)
  local one = TYPES[spec.type]
  if spec.values then
    one = '"' .. table.concat(spec.values, '"|"') .. '"'
  end
  if spec.many then
    one = spec.values and ("%s|(%s)[]"):format(one, one) or
      ("%s|%s[]"):format(one, one)
  end
  return one .. (spec.required and "" or "|nil")
end

local function params(row, add)
  add(("---@class fal.%s.Params"):format(row.name))
  for _, spec in ipairs(row.params) do
    add(("---@field %s %s   %s"):format(spec.name, type_of(spec), spec.doc))
  end
  add ""
end

local function options_of(row)
  return row.gated and "fal.DeleteOptions" or row.changes and
    "fal.ChangeOptions" or row.media == "bytes" and "fal.SaveOptions" or
    "fal.CallOptions"
end

local RESULTS <const> = { bytes = "fal.Saved?", events = "fun(): fal.Event?" }

local function call(row, add)
  local result = row.gated and "fal.Result?" or row.changes and "fal.Change?"
    or RESULTS[row.media] or "any"
  add(("--- %s%s. Waits."):format(row.doc:sub(1, 1):upper(), row.doc:sub(2)))
  add(("---@param params fal.%s.Params?"):format(row.name))
  add(("---@param options %s?"):format(options_of(row)))
  add(("---@return %s"):format(result))
  add "---@return fal.Error? err"
  add(("function fal.%s(params, options) end\n"):format(row.name))
end

local function each(row, add)
  add(("--- The items of all pages of fal.%s. Each step may wait; raises "
    .. "where"):format(row.name))
  add "--- a page fails: it never ends early."
  add(("---@param params fal.%s.Params?"):format(row.name))
  add "---@param options fal.CallOptions?"
  add "---@return fun(): any"
  add(("function fal.%s_each(params, options) end\n"):format(row.name))
end

--- The tables that a name stands in, each once.
local function groups(row, known, add)
  local path = "fal"
  for part in row.name:match "^(.-)[^.]+$":gmatch "[^.]+" do
    path = path .. "." .. part
    if not known[path] then
      known[path] = true
      add(path .. " = {}\n")
    end
  end
end

--- All of them, as text.
function annotations.text()
  local lines, known = {}, {}
  local function add(line)
    lines[#lines + 1] = line
  end
  for _, row in operations.each() do
    groups(row, known, add)
    params(row, add)
    call(row, add)
    if operations.is_list(row) then
      each(row, add)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return annotations
