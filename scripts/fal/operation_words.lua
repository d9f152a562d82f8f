--- What `falrun call` is told on its line, as the parameters of a row.
---
---   name=value     text, or a number or true where the row wants one;
---                  again for one more of a list
---   name:=JSON     the value itself
---   --body         the body whole: JSON, @FILE, or - for standard input
local core = require "core"
local text = require "fal.text"

local words = {}

local BODY_MOST <const> = 1 << 20

local function spec_of(host, row, name, place)
  local known = {}
  for _, spec in ipairs(row.params) do
    if spec.name == name and (not place or spec.place == place) then
      return spec
    end
    known[#known + 1] = (not place or spec.place == place) and spec.name or nil
  end
  local near = core.nearest(name, known)
  host.usage(("%s has no parameter \"%s\"%s"):format(row.name,
    text.clean(name:sub(1, 60)), near and (" (did you mean %s?)"):format(near)
    or known[1] and ("; it has " .. table.concat(known, ", "))
    or "; it has none"))
end

local function decode(host, what, value)
  local decoded, err = core.json.decode(value)
  if decoded == nil and err then
    host.usage(("%s is no JSON: %s"):format(what, text.clean(err.message)))
  end
  return decoded
end

local of = {}

function of.integer(value)
  return value:find "^%-?%d+$" and math.tointeger(value) or value
end

function of.number(value)
  return value:find "^%-?%d+%.?%d*$" and tonumber(value) or value
end

function of.boolean(value)
  return value == "true" or value ~= "false" and value
end

--- Of a time, "7d" is seven days ago: there is no fal.ago on a line.
function of.time(value)
  local ms = core.parse_duration(value)
  return ms and core.format_time((core.at() - ms) // 1000 * 1000) or value
end

--- What stands behind name= , in the type that the row wants. What is not of
--- that type stays text, and the check of the row says so.
local function convert(host, spec, value)
  if spec.type == "object" or spec.type == "list" or spec.type == "any" then
    return decode(host, spec.name, value)
  elseif of[spec.type] then
    return of[spec.type](value)
  end
  return value
end

local function add(host, given, spec, value)
  local old = given[spec.name]
  if old == nil then
    given[spec.name] = value
  elseif not spec.many then
    host.usage(("%s is given twice"):format(spec.name))
  else
    given[spec.name] = type(old) == "table" and old or { old }
    table.insert(given[spec.name], value)
  end
end

--- Text of --body, from where it says.
local function body_text(host, value)
  if value == "-" then
    local lines = {}
    for line in host.lines() do
      lines[#lines + 1] = line
    end
    return table.concat(lines, "\n")
  elseif value:sub(1, 1) ~= "@" then
    return value
  end
  local content, err = host.read_file(value:sub(2), BODY_MOST)
  if not content then
    host.usage("--body: " .. text.clean(err.message))
  end
  return content
end

local function add_body(host, row, given, value)
  local body = decode(host, "--body", body_text(host, value))
  for _, spec in ipairs(row.params) do
    if spec.whole then
      return add(host, given, spec, body)
    end
  end
  if type(body) ~= "table" or body == core.json.null or #body > 0 then
    host.usage("--body is no JSON object")
  end
  for name, item in pairs(body) do
    add(host, given, spec_of(host, row, name, "body"), item)
  end
end

--- The parameters by name, or the end of the command.
---@param host table
---@param row table         of the table of operations
---@param list string[]     the words after the operation
---@param body string?      the value of --body
function words.read(host, row, list, body)
  local given = {}
  for _, word in ipairs(list) do
    local name, colon, value = word:match "^([^=:]+)(:?)=(.*)$"
    if not name then
      host.usage(("\"%s\" is no parameter: write name=value, or name:=JSON")
        :format(text.clean(word:sub(1, 60))))
    end
    local spec = spec_of(host, row, name)
    add(host, given, spec, colon == ":" and decode(host, name, value) or
        colon == "" and convert(host, spec, value))
  end
  if body then
    add_body(host, row, given, body)
  end
  return given
end

return words
