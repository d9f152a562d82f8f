--- One window of a list, read whole: its pages, and then its rows.
---
---   pages --as documented--> a window in C --+--> rows, oldest first
---     \---what is odd------> tables ---------+
---
--- Nothing is deleted between two pages of a window, so no page can shift
--- under the reader because of what it led to.
local asked = require "fal.asked"
local core = require "core"
local order = require "fal.order"
local pages = require "fal.pages"
local payload = require "fal.payload"
local row = require "fal.row"
local selection = require "fal.selection"
local window = require "fal.window"

local reading = { PATH = "/models/requests/by-endpoint" }

local PATH <const> = reading.PATH

local function query_of(list, group, from, to)
  local query = {}
  for _, id in ipairs(group) do
    query[#query + 1] = { "endpoint_id", id }
  end
  query[#query + 1] = { "start", core.format_time(from) }
  query[#query + 1] = { "end", core.format_time(to) }
  query[#query + 1] = { "limit", list.limit }
  if list.status then
    query[#query + 1] = { "status", list.status }
  end
  if list.request_id then
    query[#query + 1] = { "request_id", list.request_id }
  end
  return query
end

local function check_asked(list, known, place, request)
  if not known then
    pages.fail(PATH, "items[%d].endpoint_id was not asked for", place)
  elseif list.request_id and request.request_id ~= list.request_id then
    pages.fail(PATH, "items[%d].request_id was not asked for", place)
  end
end

-- ---- a window: in C where every page of it is as documented ---------------

local function check_endpoints(list, group, reach)
  for place, endpoint in pairs(reach.endpoints) do
    if not asked.endpoint(list, group, endpoint) then
      pages.fail(PATH, "items[%d].endpoint_id was not asked for", place)
    end
  end
  if reach.twice then
    pages.fail(PATH, "a page came twice")
  end
end

--- Whether the selection has a row of a window that is read whole.
local function takes(list, request, ended_ms)
  local id = request.request_id
  if list.shared[id] then
    return false
  end
  local has, unended = selection.has(list, request, ended_ms)
  if unended then
    list.unended = list.unended + 1
  elseif has and list.known[request.endpoint_id].shared then
    list.shared[id] = true
  end
  return has
end

--- The rows of a window in C, one by one: row, when it ended.
local function from_window(list, found, before)
  return function()
    while true do
      local request, ended_ms = found:next(before and before.window)
      if not request then
        return nil
      end
      ended_ms = ended_ms >= 0 and ended_ms or nil
      if not (before and before.ids and before.ids[request.request_id]) and
        takes(list, request, ended_ms) then
        return payload.request(request), ended_ms
      end
    end
  end
end

-- ---- a window: in Lua ------------------------------------------------------

local function note_reach(reach, ended_ms)
  reach.first, reach.last = reach.first or ended_ms, ended_ms
  reach.oldest = math.min(reach.oldest, ended_ms)
  reach.newest = math.max(reach.newest, ended_ms)
end

local function had(before, id)
  return before and (before.ids and before.ids[id] or
                     before.window and before.window:has(id))
end

--- Adds the page's rows to `state`; a page that came before raises.
local function take_page(list, group, items, state)
  local ids, seen, before = {}, state.ids, list.before_this
  for place, item in ipairs(items) do
    local request, ended_ms = row.read(PATH, place, item)
    check_asked(list, asked.endpoint(list, group, request.endpoint_id), place,
                request)
    local id = request.request_id
    ids[place] = id
    if ended_ms then
      note_reach(state.reach, ended_ms)
    end
    if not seen[id] and not had(before, id) then
      local at = #state.rows + 1
      state.rows[at], state.ended[at] = request, ended_ms or -1
    end
    seen[id] = true
  end
  local page = table.concat(ids)
  if #ids > 0 and state.pages[page] then
    pages.fail(PATH, "a page came twice")
  end
  state.pages[page] = true
end

--- The rows of a window in Lua, one by one: row, when it ended.
local function from_state(list, state)
  local at = 0
  return function()
    while at < #state.rows do
      at = at + 1
      local request, ended_ms = state.rows[at], state.ended[at]
      state.rows[at] = false
      ended_ms = ended_ms >= 0 and ended_ms or nil
      if takes(list, request, ended_ms) then
        return payload.request(request), ended_ms
      end
    end
  end
end

-- ---- a window --------------------------------------------------------------

--- Starts anew in Lua with a window that has a page which is not as
--- documented in every row; what is wrong with it has words there, and what
--- is only odd is taken.
local function new_state(list, plain)
  local in_c = plain and core.window and not list.request_id and
    core.window()
  return { window = in_c or nil, rows = {}, ended = {}, pages = {},
           ids = not in_c and {} or nil,
           reach = { oldest = math.maxinteger, newest = 0 } }
end

--- Frees what a window has in C at once, for Lua does not see its size.
local function drop(state)
  if state and state.window then
    state.window:close()
  end
end

local function read_window(list, group, span, plain)
  local state, count = new_state(list, plain), 0
  local spec = { path = PATH, list = "items", key = "list",
                 window = state.window,
                 query = query_of(list, group, span.from, span.to) }
  for items, more, reach in pages.walk(spec) do
    count = count + 1
    if more and count >= span.most then
      return drop(state)
    elseif reach then
      check_endpoints(list, group, reach)
    elseif state.window then
      drop(state)
      return read_window(list, group, span, false)
    else
      take_page(list, group, items, state)
    end
    reach = reach or state.reach
    local cut = more and reach.first and
      window.cut(span.from, span.to, count, reach)
    if cut then
      return drop(state), cut
    end
  end
  local before = list.before_this
  drop(list.before_that)                -- its successor is handed out
  list.before_that, list.before_this = before, state
  if state.window and list.looked then
    list.looked:take(state.window, span.from, span.to)
  end
  if state.window then
    state.window:sort()
    return from_window(list, state.window, before)
  end
  order.by_time(state.rows, state.ended)
  return from_state(list, state)
end

--- The rows of one window as a function, oldest first; nil when it has more
--- than `most` pages, or surely will have, and then perhaps where to cut it.
---@param span {from:integer, to:integer, most:integer}  ms, whole seconds
function reading.window(list, group, span)
  return read_window(list, group, span, true)
end

return reading
