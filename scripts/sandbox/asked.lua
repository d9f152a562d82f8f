--- What a request asks of an operation, read by the operation's row in the
--- library's table (fal/operations): path, query and body as one table by
--- name. What breaks the row is a 400 with a sentence.
---
---   "/assets?limit=2&tag_id=a,b"  -->  { limit = 2, tag_id = { "a", "b" } }
---
--- Times are ms here. Nothing is in the table that was not given and has no
--- default.
local core = require "core"
local parameters = require "fal.parameters"
local query = require "sandbox.query"

local asked = {}

local MOST <const> = 50                 -- of a list, where no row says

--- Whose bodies may have no other fields.
local STRICT <const> = {
  ["storage.set_acl"] = true, ["storage.sign"] = true,
  ["storage.set_settings"] = true, ["serverless.files.upload_url"] = true,
}

local BOOLEANS <const> = { ["true"] = true, ["false"] = false }

-- ---- text to values --------------------------------------------------------

local function in_range(spec, value)
  return value >= (spec.min or -math.huge) and value <= (spec.max or math.huge)
end

local function range_words(spec)
  return spec.max and (" from %s to %s"):format(spec.min, spec.max) or
    spec.min and (" of at least %s"):format(spec.min) or ""
end

--- type -> what makes a value of text, or nil and what it must be.
local of = {}

function of.integer(spec, text)
  local value = text:match("^-?%d+$") and math.tointeger(text)
  return value and in_range(spec, value) and value or nil,
    "an integer" .. range_words(spec)
end

function of.number(spec, text)
  local value = text:match("^-?[%d.]+$") and tonumber(text)
  return value and in_range(spec, value) and value or nil,
    "a number" .. range_words(spec)
end

function of.boolean(_, text)
  return BOOLEANS[text], "true or false"
end

function of.time(_, text)
  return core.parse_time(text), "an RFC 3339 date-time or YYYY-MM-DD"
end

function of.id(_, text)
  return query.id(text), "a UUID"
end

function of.url(_, text)
  return text:match("^%a[%w+.-]*://[^%s%c]+$"), "a whole address"
end

function of.month(_, text)
  return text:match("^%d%d%d%d%-[01]%d$"), "a month like 2026-01"
end

function of.slug(spec, text)
  return #text <= (spec.max or math.huge) and text:match("^[%w_-]+$") or nil,
    "letters, digits, _ and -"
end

function of.string(spec, text)
  local allowed = not spec.values
  for _, word in ipairs(spec.values or {}) do
    allowed = allowed or word == text
  end
  return allowed and #text >= (spec.min or 0) and text or nil,
    spec.values and "one of " .. table.concat(spec.values, ", ")
    or "text that is not empty"
end

function of.file(_, text)
  for part in (text .. "/"):gmatch "([^/]*)/" do
    if part == "" or part == "." or part == ".." then
      return nil, "a path without empty parts, . and .."
    end
  end
  return text, ""
end

local function one_of(spec, text)
  local value, wanted = of[spec.type](spec, text)
  if value == nil then
    return nil, ("%s must be %s"):format(spec.name, wanted)
  end
  return value
end

local function many_of(spec, list)
  local most = spec.most or MOST
  if #list == 0 or #list > most then
    return nil, ("%s takes 1 to %d values"):format(spec.name, most)
  end
  local values = {}
  for i, text in ipairs(list) do
    local value, why = one_of(spec, text)
    if value == nil then
      return nil, why
    end
    values[i] = value
  end
  return values
end

-- ---- the body --------------------------------------------------------------

local function unknown_field(row, body)
  local known = {}
  for _, spec in ipairs(row.params) do
    known[spec.name] = spec.place == "body"
  end
  for name in pairs(STRICT[row.name] and body or {}) do
    if not known[name] then
      return "the body has no field of that name"
    end
  end
end

--- One field of the body, checked as the library checks what it is given.
local function field_of(spec, value)
  local fine, checked = pcall(parameters.value, "body", spec.name, spec, value)
  if not fine then
    return nil, ("%s: %s"):format(spec.name,
      tostring(checked):match("%((.*)%)") or "it is not what is documented")
  end
  return checked
end

local function decoded(row, request, whole)
  local body, err = core.json.decode(request.body)
  if type(body) ~= "table" or err or not whole and #body > 0 then
    return nil, "the body must be a JSON " .. (whole and "list" or "object")
  end
  return body, unknown_field(row, body)
end

--- The decoded body of an operation that takes JSON; nil where it takes none.
local function body_of(row, request)
  local wanted, whole
  for _, spec in ipairs(row.params) do
    wanted = wanted or spec.place == "body"
    whole = whole or spec.whole
  end
  if not wanted or row.media == "multipart" or
     whole and request.body == "" then
    return nil
  end
  return decoded(row, request, whole)
end

-- ---- all of it -------------------------------------------------------------

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- The value of one parameter, or nil and what is wrong with it.
local function value_of(spec, from)
  if spec.place == "path" then
    return one_of(spec, unescape(from.holes[spec.name]))
  elseif spec.place == "query" and from.one[spec.name] then
    if spec.many then
      return many_of(spec, from.many[spec.name])
    end
    return one_of(spec, from.one[spec.name])
  elseif spec.place == "body" and from.body and spec.whole then
    return field_of(spec, from.body)
  elseif spec.place == "body" and from.body and
         from.body[spec.name] ~= nil then
    return field_of(spec, from.body[spec.name])
  end
end

--- Parameters of which only one, or exactly one, may stand.
local function together(row, values)
  if row.one and parameters.given(row.one, values) ~= 1 then
    return ("exactly one of %s is needed"):format(table.concat(row.one, ", "))
  end
  for _, names in ipairs(row.alone or {}) do
    if parameters.given(names, values) > 1 then
      return table.concat(names, ", ") .. " exclude each other"
    end
  end
end

--- The values of a request, or nil and a sentence.
---@param row table    of the table of operations
---@param holes table  the parts of the path, by name
---@return table? values, string? why
function asked.read(row, request, holes)
  local body, why = body_of(row, request)
  if why then
    return nil, why
  end
  local one, many = query.read(request.query)
  local from = { one = one, many = many, body = body, holes = holes }
  local values = {}
  for _, spec in ipairs(row.params) do
    local value, wrong = value_of(spec, from)
    if wrong then
      return nil, wrong
    elseif value == nil then
      value = spec.default
    end
    if value == nil and spec.required and row.media ~= "multipart" then
      return nil, spec.name .. " is required"
    end
    values[spec.name] = value
  end
  why = together(row, values)
  return not why and values or nil, why
end

return asked
