--- fal.requests: the requests of a selection, oldest first.
---
---   endpoints, in groups of 50 --> windows of time --> pages of 100
---                                        |
---     a whole window is read, doubles dropped, sorted, then handed out
---
--- Nothing is deleted between two pages of a window, so no page can shift
--- under the reader because of what it led to.
local core = require "core"
local endpoints = require "fal.endpoints"
local facts = require "fal.facts"
local order = require "fal.order"
local pages = require "fal.pages"
local payload = require "fal.payload"
local row = require "fal.row"
local selection = require "fal.selection"
local text = require "fal.text"
local window = require "fal.window"

local requests = {}

local PATH <const> = "/models/requests/by-endpoint"
local GROUP <const> = 50

local lists = setmetatable({}, { __mode = "k" })        -- by their iterators

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

--- The API was asked for some endpoints: a row of another is a broken
--- filter, and must not be deleted by a rule for these.
local function was_asked_for(group, endpoint)
  for _, id in ipairs(group) do
    if endpoint == id or endpoint:sub(1, #id + 1) == id .. "/" then
      return true
    end
  end
  return false
end

--- An endpoint may list what lies below it: whether another group than this
--- one could list it too.
local function is_shared(list, endpoint)
  local at = 0
  repeat
    at = endpoint:find("/", at + 1, true)
    if list.elsewhere[at and endpoint:sub(1, at - 1) or endpoint] then
      return true
    end
  until not at
  return false
end

--- What the endpoint of a row means for this group, looked up once: false
--- where it was not asked for, else whether it is shared.
local function endpoint_of(list, group, endpoint)
  local known = list.known[endpoint]
  if known == nil then
    known = was_asked_for(group, endpoint) and
      { shared = is_shared(list, endpoint) }
    list.known[endpoint] = known
  end
  return known
end

local function check_asked(list, known, place, request)
  if not known then
    pages.fail(PATH, "items[%d].endpoint_id was not asked for", place)
  elseif list.request_id and request.request_id ~= list.request_id then
    pages.fail(PATH, "items[%d].request_id was not asked for", place)
  end
end

--- Adds a row that came for the first time, if the selection has it.
local function take_row(list, request, ended_ms, known, state)
  local has, unended = selection.has(list, request, ended_ms)
  if has then
    local at = state.size + 1
    state.size = at
    state.rows[at], state.ended[at] = payload.request(request), ended_ms
    if known.shared then
      state.shared[#state.shared + 1] = request.request_id
    end
  elseif unended then
    state.unended = state.unended + 1
  end
end

local function note_reach(reach, ended_ms)
  reach.first, reach.last = reach.first or ended_ms, ended_ms
  if ended_ms < reach.oldest then
    reach.oldest = ended_ms
  end
  if ended_ms > reach.newest then
    reach.newest = ended_ms
  end
end

--- Adds the page's rows to `state`; a page that came before raises.
local function take_page(list, group, items, ended, state)
  local ids, seen, last_ids = {}, state.ids, list.last_ids
  local shared = list.shared
  for place, request in ipairs(items) do
    local ended_ms
    if ended then
      ended_ms = ended[place] >= 0 and ended[place] or nil
    else
      request, ended_ms = row.read(PATH, place, request)
    end
    local known = endpoint_of(list, group, request.endpoint_id)
    check_asked(list, known, place, request)
    local id = request.request_id
    ids[place] = id
    if ended_ms then
      note_reach(state.reach, ended_ms)
    end
    if not seen[id] then
      seen[id] = true
      if not last_ids[id] and not shared[id] then
        take_row(list, request, ended_ms, known, state)
      end
    end
  end
  local page = table.concat(ids)
  if #ids > 0 and state.pages[page] then
    pages.fail(PATH, "a page came twice")
  end
  state.pages[page] = true
end

--- The rows of one window, sorted, as {rows, ended}; nil when it has more than `most` pages, or
--- surely will have, and then perhaps where to cut it.
local function read_window(list, group, from, to, most)
  local state = { rows = {}, ended = {}, size = 0, ids = {}, pages = {},
                  shared = {}, unended = 0,
                  reach = { oldest = math.maxinteger, newest = 0 } }
  local spec = { path = PATH, list = "items", key = "list", rows = true,
                 query = query_of(list, group, from, to) }
  local count = 0
  for items, more, ended in pages.walk(spec) do
    count = count + 1
    if more and count >= most then
      return nil
    end
    take_page(list, group, items, ended, state)
    local cut = more and state.reach.first and
      window.cut(from, to, count, state.reach)
    if cut then
      return nil, cut
    end
  end
  order.by_time(state.rows, state.ended)
  list.last_ids = state.ids
  for _, id in ipairs(state.shared) do
    list.shared[id] = true
  end
  list.unended = list.unended + state.unended
  return state
end

local function groups_of(list)
  local all = list.endpoints
  if all == "auto" then
    all = endpoints.find(list.sent)
  end
  local at = 1
  return function()
    if at > #all then
      return nil
    end
    local group = table.move(all, at, math.min(at + GROUP - 1, #all), 1, {})
    list.elsewhere = {}
    for place, id in ipairs(all) do
      list.elsewhere[id] = place < at or place >= at + GROUP or nil
    end
    at = at + GROUP
    return group
  end
end

local function start_group(list)
  local group = list.next_group()
  if not group then
    return false
  end
  list.last_ids, list.known = {}, {}
  local span = { from = list.sent.from, to = list.sent.to, path = PATH }
  list.next_window = window.walk(span, function(from, to, most)
    return read_window(list, group, from, to, most)
  end)
  return true
end

local function note_unended(list)
  if list.unended > 0 then
    core.log.info(("left out: %s that may still be running, without an end")
      :format(text.count(list.unended, "request", "requests")))
  end
end

--- The next window that has rows, or nil after the last.
local function advance(list)
  list.next_group = list.next_group or groups_of(list)
  while true do
    local found = list.next_window and list.next_window()
    if found and found.size > 0 then
      return found
    elseif not found and not start_group(list) then
      note_unended(list)
      return nil
    end
  end
end

local function check_free(list)
  if list.reading then
    error(core.error("invalid", "this list failed before, or another task "
      .. "is reading it: fal.each shares a list between tasks"), 0)
  end
end

--- Requests of some endpoints that ended in a span of time, oldest first.
---@param options fal.RequestsOptions
---@return fun(): fal.Request?
function requests.list(options)
  local list = selection.new(options)
  local rows, ended, at, over = {}, nil, 0, false
  local noted = core.mode == "plan"
  list.unended, list.shared = 0, {}
  local function iterate()
    list.started = true
    check_free(list)
    if over then
      return nil
    end
    if at >= #rows then
      list.reading = true
      local found = advance(list)
      rows, at = found and found.rows or {}, 0
      ended = found and found.ended
      list.reading, over = false, not found
    end
    at = at + 1
    local request = rows[at]
    rows[at] = false
    list.ended_ms = ended and ended[at]         -- of this one; for planner
    if noted and request and not list.declared then
      facts.note(request)
    end
    return request
  end
  lists[iterate] = list
  return iterate
end

--- What the iterator of a list selects (fal.selection), or nil.
function requests.selection(iterate)
  return lists[iterate]
end

return requests
