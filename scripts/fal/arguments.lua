--- What an operation is given, checked by its row before anything is sent.
---
---   { id = "i-1", limit = 50 }  -->  "/compute/instances/i-1", query, body
---
--- Everything wrong raises at the caller's own line and names the parameter.
local check = require "fal.check"
local parameters = require "fal.parameters"
local shapes = require "fal.shapes"

local arguments = {}

local OPTIONS <const> = shapes.names "call"
local OPTIONS_OF_CHANGES <const> = shapes.names "call_changes"
local OPTIONS_OF_SAVES <const> = shapes.names "call_saves"
local TIMEOUT_MOST <const> = 600000
local KEY_MOST <const> = 200
local PATH_MOST <const> = 4000

local function escape(text, keep)
  return (text:gsub("[^%w_.~" .. keep .. "-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

--- A part of a path that is no file's is one name.
local function check_segment(row, spec, value)
  local never = spec.type == "file" and "[\\%c]" or "[/\\%%;%c]"
  if value == "." or value == ".." or value:find(never) then
    check.fail(row.name, spec.name, "%s is no name: it would be another path",
               check.show(value))
  end
end

local function path_of(row, values)
  return (row.path:gsub("{([%w_]+)}", function(name)
    local value = values[name]
    for _, spec in ipairs(row.params) do
      if spec.name == name and spec.place == "path" then
        check_segment(row, spec, value)
        return escape(value, spec.type == "file" and "/" or "")
      end
    end
  end))
end

local function query_of(row, values)
  local query = {}
  for _, spec in ipairs(row.params) do
    local value = spec.place == "query" and values[spec.name]
    if type(value) == "table" then
      for _, item in ipairs(value) do
        query[#query + 1] = { spec.name, item }
      end
    elseif value ~= nil and spec.place == "query" then
      query[#query + 1] = { spec.name, math.type(value) == "float" and
                            ("%.17g"):format(value) or value }
    end
  end
  return query
end

local function body_of(row, values)
  local body, names
  for _, spec in ipairs(row.params) do
    if spec.place == "body" and spec.whole then
      return values[spec.name]
    elseif spec.place == "body" then
      body, names = body or {}, names or {}
      body[spec.name] = values[spec.name]
      names[#names + 1] = spec.name
    end
  end
  if body and next(body) == nil then
    check.fail(row.name, "options", "there is nothing to change: give %s",
               table.concat(names, ", "))
  end
  return body
end

--- Parameters that shut each other out, and those of which one is needed.
local function check_together(row, values)
  for _, names in ipairs(row.alone or {}) do
    if parameters.given(names, values) > 1 then
      check.fail(row.name, "options", "only one of %s can be given at a time",
                 table.concat(names, ", "))
    end
  end
  if row.one and parameters.given(row.one, values) ~= 1 then
    check.fail(row.name, "options", "exactly one of %s is needed",
               table.concat(row.one, ", "))
  end
end

--- Path, query and body of a call, and the values as they are sent.
---@param row table    of the table of operations
---@param given table? by the names of its parameters
---@return string path, table query, table? body, table values
function arguments.read(row, given)
  given = check.options(row.name, given, parameters.names(row.params))
  local values = {}
  for _, spec in ipairs(row.params) do
    local value = given[spec.name]
    if value ~= nil then
      values[spec.name] = parameters.value(row.name, spec.name, spec, value)
    elseif spec.required then
      check.fail(row.name, spec.name, "it is missing: %s", spec.doc)
    end
  end
  check_together(row, values)
  return path_of(row, values), query_of(row, values), body_of(row, values),
         values
end

local function check_name(row, to)
  if row.media == "bytes" and to == nil then
    check.fail(row.name, "to", "it is missing: the file that it is saved "
               .. "into")
  elseif to and (#to > PATH_MOST or to:find "/$") then
    check.fail(row.name, "to", "%s is no name for a file", check.show(to))
  end
end

--- The options of a call, beside what the operation is given.
function arguments.options(row, options)
  local known = row.changes and OPTIONS_OF_CHANGES or OPTIONS
  if row.media == "bytes" then
    known = OPTIONS_OF_SAVES
  end
  options = check.options(row.name, options, known)
  if options.timeout ~= nil then
    local ms = check.duration(row.name, "timeout", options.timeout)
    if ms < 1 or ms > TIMEOUT_MOST then
      check.fail(row.name, "timeout", '"1ms" to "10m" is needed, got %s',
                 check.show(options.timeout))
    end
  end
  if options.reason ~= nil and not check.reason(options.reason) then
    check.fail(row.name, "reason", "text of 1 to 1000 bytes is needed, got %s",
               check.show(options.reason))
  end
  for name, type in pairs { dry_run = "boolean", idempotency_key = "string",
                            to = "string", replace = "boolean" } do
    if options[name] ~= nil then
      parameters.check(row.name, name, type, options[name])
    end
  end
  check_name(row, options.to)
  local key = options.idempotency_key
  if key and (#key > KEY_MOST or not key:find "^[\x20-\x7e]+$") then
    check.fail(row.name, "idempotency_key", "1 to %d visible ASCII characters "
               .. "are needed, got %s", KEY_MOST, check.show(key))
  end
  return options
end

return arguments
