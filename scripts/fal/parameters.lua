--- The values that parameters of operations take (operations/params.lua has
--- the types), checked, as they are sent.
local check = require "fal.check"
local core = require "core"

local parameters = {}

local function is_null(value)
  return value == core.json.null
end

local function is_list(value)
  return type(value) == "table" and (next(value) == nil or #value > 0)
end

local function has_names(value)
  for key in pairs(value) do
    if type(key) ~= "number" then
      return true
    end
  end
  return false
end

--- What a value is, in words, for "..., got ...".
local function got(value)
  if is_null(value) then
    return "null"
  elseif type(value) == "table" then
    return has_names(value) and "a table with names" or "a list"
  elseif type(value) == "boolean" then
    return tostring(value)
  end
  return check.show(value)
end

-- ---- one value -------------------------------------------------------------

local of = {}

local function length(func, name, spec, value)
  local least, most = spec.min or 0, spec.max or math.huge
  local count = utf8.len(value)
  if not count or value:find("\0", 1, true) then
    check.fail(func, name, "it is no text: it is not UTF-8, or has a NUL")
  elseif count < least then
    check.fail(func, name, "it is empty")
  elseif count > most then
    check.fail(func, name, "%d characters at most are needed, got %d",
               spec.max, count)
  end
end

function of.string(func, name, spec, value)
  if type(value) ~= "string" then
    check.fail(func, name, "text is needed, got %s", got(value))
  end
  length(func, name, spec, value)
  return spec.values and check.choice(func, name, value, spec.values) or value
end

local function range(func, name, spec, what, value)
  local low, high = spec.min or -math.huge, spec.max or math.huge
  if value < low or value > high then
    check.fail(func, name, "%s %s is needed, got %s", what, spec.max and
      ("from %s to %s"):format(spec.min, spec.max) or
      ("of at least %s"):format(spec.min), value)
  end
  return value
end

function of.integer(func, name, spec, value)
  local whole = math.type(value) and math.tointeger(value)
  if not whole then
    check.fail(func, name, "a whole number is needed, got %s", got(value))
  end
  return range(func, name, spec, "a whole number", whole)
end

function of.number(func, name, spec, value)
  if type(value) ~= "number" or value ~= value or
    math.abs(value) == math.huge then
    check.fail(func, name, "a number is needed, got %s", got(value))
  end
  return range(func, name, spec, "a number", value)
end

function of.boolean(func, name, _, value)
  if type(value) ~= "boolean" then
    check.fail(func, name, "true or false is needed, got %s", got(value))
  end
  return value
end

function of.time(func, name, _, value)
  return core.format_time(check.time(func, name, value))
end

function of.id(func, name, _, value)
  if type(value) ~= "string" or not core.parse_id(value) then
    check.fail(func, name, "%s", check.no_id(value))
  end
  return value
end

--- Text of a form, with its form in words.
local function form(pattern, words)
  return function(func, name, spec, value)
    of.string(func, name, spec, value)
    if not value:find(pattern) then
      check.fail(func, name, "%s is needed, got %s", words, check.show(value))
    end
    return value
  end
end

of.url = form("^%a[%w+.-]*://[^%s%c]+$", 'a whole address, like '
              .. '"https://v3.fal.media/files/b/...",')
of.month = form("^%d%d%d%d%-[01]%d$", 'a month like "2026-01"')
of.slug = form("^[%w_-]+$", "text of letters, digits, '_' and '-'")

--- Of the path of a file, each part is a name of its own.
function of.file(func, name, spec, value)
  of.string(func, name, spec, value)
  for part in (value .. "/"):gmatch "([^/]*)/" do
    if part == "" or part == "." or part == ".." then
      check.fail(func, name, 'a path like "models/a.bin" is needed, without a '
        .. "slash at its ends and without . or .. in it, got %s",
        check.show(value))
    end
  end
  return value
end

function of.any(_, _, _, value)
  return value
end

function of.object(func, name, spec, value)
  if type(value) ~= "table" or is_null(value) or #value > 0 then
    check.fail(func, name, "a table with names is needed, got %s", got(value))
  end
  return spec.fields and parameters.fields(func, name .. ".", spec.fields,
                                          value) or value
end

function of.list(func, name, spec, value)
  if not is_list(value) or is_null(value) then
    check.fail(func, name, "a list is needed, got %s", got(value))
  end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = of.object(func, ("%s[%d]"):format(name, i), spec, item)
  end
  return core.json.array(list)
end

-- ---- one parameter ---------------------------------------------------------

--- One value or a list of them, as a list.
local function many(func, name, spec, value)
  if type(value) ~= "table" or is_null(value) then
    value = { value }
  elseif not is_list(value) then
    check.fail(func, name, "one value or a list of them is needed, got %s",
               got(value))
  end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = of[spec.type](func, ("%s[%d]"):format(name, i), spec, item)
  end
  local least = spec.place == "query" and 1 or spec.least or 0
  if #list < least then
    check.fail(func, name, "the list is empty%s", spec.required and "" or
               ": leave it out, or name one")
  elseif spec.most and #list > spec.most then
    check.fail(func, name, "%d at most can be given at a time, got %d",
               spec.most, #list)
  end
  return core.json.array(list)
end

--- The value of one parameter as it is sent.
function parameters.value(func, name, spec, value)
  if is_null(value) and spec.null then
    return value
  elseif spec.many then
    return many(func, name, spec, value)
  end
  return of[spec.type](func, name, spec, value)
end

--- The names of a list of specs.
function parameters.names(specs)
  local list = {}
  for i, spec in ipairs(specs) do
    list[i] = spec.name
  end
  return list
end

--- The fields of a table by its specs, as they are sent.
function parameters.fields(func, prefix, specs, given)
  local values = {}
  for name in pairs(given) do
    local known = parameters.names(specs)
    local near = type(name) == "string" and core.nearest(name, known)
    local fine = false
    for _, word in ipairs(known) do
      fine = fine or word == name
    end
    if not fine then
      check.fail(func, prefix:sub(1, -2), "there is no field %s%s",
        check.show(name), near and ("; did you mean '%s'?"):format(near)
        or ("; the fields are: %s"):format(table.concat(known, ", ")))
    end
  end
  for _, spec in ipairs(specs) do
    local value, name = given[spec.name], prefix .. spec.name
    if value ~= nil then
      values[spec.name] = parameters.value(func, name, spec, value)
    elseif spec.required then
      check.fail(func, name, "it is missing: %s", spec.doc)
    end
  end
  return values
end

--- How many of these have a value.
---@param names string[]
function parameters.given(names, values)
  local n = 0
  for _, name in ipairs(names) do
    n = n + (values[name] ~= nil and 1 or 0)
  end
  return n
end

--- Text, or one of the other simple types, of an option.
function parameters.check(func, name, type, value)
  return of[type](func, name, { min = 1 }, value)
end

return parameters
