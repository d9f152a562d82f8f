--- Whether the answer of an operation has the shape that its row says.
---
--- A row says what must be there: `answer` (fields, or the kind of the whole),
--- `list` (the field that is a list), `item` (fields of what is in it).
local core = require "core"

local answers = {}

local ARTICLES <const> = { string = "text", number = "a number",
  integer = "a whole number", boolean = "true or false", list = "a list",
  object = "an object" }

local function is(kind, value)
  if kind == "list" then
    return type(value) == "table" and value ~= core.json.null and
      (next(value) == nil or #value > 0)
  elseif kind == "object" then
    return type(value) == "table" and value ~= core.json.null and #value == 0
  elseif kind == "integer" then
    return math.type(value) == "integer"
  end
  return type(value) == kind
end

--- What a value is, in words.
function answers.kind(value)
  if value == nil then
    return "missing"
  elseif value == core.json.null then
    return "null"
  elseif type(value) == "table" then
    return next(value) == nil and "empty" or #value > 0 and "a list" or
      "an object"
  end
  return ARTICLES[type(value)] or type(value)
end

local function wrong(place, value, kind)
  return ("%s is %s, not %s"):format(place, answers.kind(value),
                                     ARTICLES[kind])
end

local function fields(prefix, wanted, value)
  for name, kind in pairs(wanted or {}) do
    if not is(kind, value[name]) then
      return wrong(prefix .. name, value[name], kind)
    end
  end
end

local function items(row, place, list)
  for i, item in ipairs(list) do
    local at = ("%s[%d]"):format(place, i)
    local found = not is("object", item) and wrong(at, item, "object")
      or fields(at .. ".", row.item, item)
    if found then
      return found
    end
  end
end

--- The lists of an answer that has several are there as asked for.
local function lists(row, value)
  for _, name in ipairs(type(row.list) == "table" and row.list or
                        { row.list }) do
    local list = value[name]
    if list == nil and type(row.list) == "table" then
      list = {}
    end
    local found = not is("list", list) and wrong(name, list, "list") or
      items(row, name, list)
    if found then
      return found
    end
  end
end

--- What is wrong with an answer, in words, or nil.
function answers.wrong(row, value)
  if row.stands and row.stands[1] == 204 then
    return nil
  elseif type(row.answer) == "string" then
    return not is(row.answer, value) and wrong("it", value, row.answer) or
      row.answer == "list" and items(row, "it", value) or nil
  elseif not is("object", value) then
    return wrong("it", value, "object")
  end
  local found = fields("", row.answer, value)
  if not found and row.paging and row.paging ~= "offset" then
    found = fields("", { has_more = "boolean" }, value)
  end
  return found or lists(row, value)
end

return answers
