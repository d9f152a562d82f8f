--- One walk along the pages of a list of the API.
---
---   cursor, keyset   until has_more is false; next_cursor leads on
---   offset           until a page is empty; what came is counted
---
--- A list that goes wrong must never look like a short one: whatever is not
--- as documented raises, and so does a cursor that comes twice, which would
--- otherwise go round for ever.
local core = require "core"

local pages = {}

local CURSOR_MAX <const> = 4000
local EMPTY_MOST <const> = 100          -- empty pages in a row

--- An error of kind "protocol" that names the call and the place. `path` is
--- that of a GET, or has its method before it.
function pages.wrong(path, format, ...)
  local why = select("#", ...) > 0 and format:format(...) or format
  return core.error("protocol", ("the answer of %s%s is not what the API "
    .. "documents: %s; nothing of it was used"):format(
    path:find "^/" and "GET " or "", path, why))
end

--- Raises it.
function pages.fail(path, format, ...)
  error(pages.wrong(path, format, ...), 0)
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

local function read(spec, name, place)
  local query = {}
  for _, pair in ipairs(spec.query) do
    if not place or pair[1] ~= name then
      query[#query + 1] = pair
    end
  end
  if place then
    query[#query + 1] = { name, place }
  end
  local page, reach = core.read {
    method = spec.method, path = spec.path, query = query, body = spec.body,
    key = spec.key, timeout = spec.timeout, window = spec.window,
    accept = spec.text and "both" or nil, list = spec.list }
  if page == nil then
    error(reach, 0)
  elseif spec.check then
    spec.check(page)
  end
  return page, reach
end

--- Raises for a page that came before, and for too many that are empty.
local function check_new(spec, items, state)
  state.empty = #items == 0 and state.empty + 1 or 0
  if state.empty > EMPTY_MOST then
    pages.fail(spec.path, "%d pages in a row are empty, and more shall follow",
               state.empty)
  elseif #items > 0 then
    local page = core.sha256(core.json.encode(items))
    if state.pages[page] then
      pages.fail(spec.path, "a page came twice")
    end
    state.pages[page] = true
  end
end

--- Where a walk by offset goes on after a page, or nil.
local function offset_after(items, at)
  return #items > 0 and at + #items or nil
end

local function first_offset(spec)
  for _, pair in ipairs(spec.query) do
    if pair[1] == "offset" then
      return pair[2]
    end
  end
  return 0
end

--- Pages of a list: `for items, more, reach in pages.walk(spec)`. Waits.
--- `more` is true when another page follows. `reach` is core.read's: where it
--- is not nil, the items are in spec.window. With `text` it is the page as
--- text. With `unique`, a page that comes
--- twice raises; callers that look at the ids themselves do without.
---@param spec {path:string, query:table, key:string, list:string,
---  window:table?, method:string?, body:table?, timeout:string?,
---  paging:string?, unique:boolean?, text:boolean?, check:fun(page:table)?}
function pages.walk(spec)
  local by_offset = spec.paging == "offset"
  local name = by_offset and "offset" or "cursor"
  local seen, place, over = {}, nil, false
  local state = { pages = {}, empty = 0 }
  local offset = by_offset and first_offset(spec)
  return function()
    if over then
      return nil
    end
    local page, reach = read(spec, name, place)
    local items = items_of(page, spec)
    if spec.unique then
      check_new(spec, items, state)
    end
    if by_offset then
      offset = offset_after(items, offset)
      place = offset
    else
      place = cursor_of(page, spec, seen)
    end
    over = place == nil
    return items, not over, reach
  end
end

return pages
