--- fal.requests: the requests of a selection, oldest first.
---
---   endpoints, in groups of 50 --> windows of time --> pages of 100
---                                        |
---     a whole window is read (reading.lua), then its rows are handed out
local core = require "core"
local endpoints = require "fal.endpoints"
local facts = require "fal.facts"
local looked = require "fal.looked"
local reading = require "fal.reading"
local selection = require "fal.selection"
local text = require "fal.text"
local window = require "fal.window"

local requests = {}

local GROUP <const> = 50

local lists = setmetatable({}, { __mode = "k" })        -- by their iterators

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

--- What there is to read for a group, oldest first.
local function spans_of(list, group)
  local span = { from = list.sent.from, to = list.sent.to }
  return list.overlap and looked.left(group, span, list.overlap) or { span }
end

--- The windows of several spans, one after the other.
local function walk_spans(spans, read)
  local at, walk = 0, nil
  return function()
    while true do
      local found = walk and walk()
      if found then
        return found
      end
      at = at + 1
      if not spans[at] then
        return nil
      end
      walk = window.walk({ from = spans[at].from, to = spans[at].to,
                           path = reading.PATH }, read)
    end
  end
end

local function start_group(list)
  local group = list.next_group()
  if not group then
    return false
  end
  list.before_this, list.known = nil, {}
  list.looked = not list.status and looked.note(group) or nil
  list.next_window = walk_spans(spans_of(list, group),
                                function(from, to, most)
    return reading.window(list, group, { from = from, to = to, most = most })
  end)
  return true
end

local function note_unended(list)
  if list.unended > 0 then
    core.log.info(("left out: %s that may still be running, without an end")
      :format(text.count(list.unended, "request", "requests")))
  end
end

--- The rows of the next window, or nil after the last.
local function advance(list)
  list.next_group = list.next_group or groups_of(list)
  while true do
    local next_row = list.next_window and list.next_window()
    if next_row then
      return next_row
    elseif not start_group(list) then
      note_unended(list)
      return nil
    end
  end
end

--- The next row of the list, and when it ended. Waits.
local function next_of(list)
  while true do
    if list.next_row then
      local request, ended_ms = list.next_row()
      if request then
        return request, ended_ms
      end
    end
    list.reading = true
    list.next_row = advance(list)
    list.reading = false
    if not list.next_row then
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
  local over, noted = false, core.mode == "plan"
  list.unended, list.shared = 0, {}
  local function iterate()
    list.started = true
    check_free(list)
    if over then
      return nil
    end
    local request, ended_ms = next_of(list)
    over = request == nil
    list.ended_ms = ended_ms            -- of this one, for planner.lua
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
