--- One walk along the pages of a list of the API.
---
--- A list that goes wrong must never look like a short one: whatever is not
--- as documented raises, and so does a cursor that comes twice, which would
--- otherwise go round for ever.
local core = require "core"

local pages = {}

local CURSOR_MAX <const> = 4000

--- Raises an error of kind "protocol" that names the call and the place.
function pages.fail(path, format, ...)
  local why = select("#", ...) > 0 and format:format(...) or format
  error(core.error("protocol", ("the answer of GET %s is not what the API "
    .. "documents: %s; nothing of it was used"):format(path, why)), 0)
end

--- JSON's null and Lua's nil are the same to a reader.
function pages.value(field)
  if field == core.json.null then
    return nil
  end
  return field
end

--- What a field is, in words, for a message.
function pages.kind(value)
  value = pages.value(value)
  if value == nil then
    return "missing"
  elseif type(value) == "table" then
    return #value > 0 and "a list" or "an object or a list"
  end
  return "a " .. type(value)
end

local function items_of(page, spec)
  local items = type(page) == "table" and page[spec.list]
  if type(page) ~= "table" then
    pages.fail(spec.path, "it is %s, not an object", pages.kind(page))
  elseif type(items) ~= "table" or (next(items) ~= nil and #items == 0) then
    pages.fail(spec.path, "%s is %s, not a list", spec.list,
               pages.kind(items))
  end
  return items
end

local function cursor_of(page, spec, seen)
  local more, cursor = page.has_more, pages.value(page.next_cursor)
  if type(more) ~= "boolean" then
    pages.fail(spec.path, "has_more is %s, not a boolean", pages.kind(more))
  elseif cursor ~= nil and type(cursor) ~= "string" then
    pages.fail(spec.path, "next_cursor is %s, not a string",
               pages.kind(cursor))
  elseif not more then
    return nil
  elseif not cursor or cursor == "" then
    pages.fail(spec.path, "has_more is true, but there is no next_cursor")
  elseif #cursor > CURSOR_MAX then
    pages.fail(spec.path, "next_cursor has %d bytes", #cursor)
  elseif seen[cursor] then
    pages.fail(spec.path, "the same next_cursor came twice: its pages go "
               .. "round")
  end
  seen[cursor] = true
  return cursor
end

local function read(spec, cursor)
  local query = table.move(spec.query, 1, #spec.query, 1, {})
  if cursor then
    query[#query + 1] = { "cursor", cursor }
  end
  local page, reach = core.read { path = spec.path, query = query,
                                  key = spec.key, window = spec.window }
  if page == nil then
    error(reach, 0)
  end
  return page, reach
end

--- Pages of a list: `for items, more, reach in pages.walk(spec)`. Waits.
--- `more` is true when another page follows. `reach` is core.read's: where it
--- is not nil, the items are in spec.window.
---@param spec {path:string, query:table, key:string, list:string,
---  window:table?}
function pages.walk(spec)
  local seen, cursor, over = {}, nil, false
  return function()
    if over then
      return nil
    end
    local page, reach = read(spec, cursor)
    local items = items_of(page, spec)
    cursor = cursor_of(page, spec, seen)
    over = cursor == nil
    return items, not over, reach
  end
end

return pages
