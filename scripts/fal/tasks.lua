--- Several tasks at work on one stream of items.
---
---   next() --- one at a time ---> task 1 .. task N ---> f(item)
---
--- An iterator may wait (a list loads its next window), so tasks take turns
--- at it. The first failure stops the taking; what is under way is waited
--- for, and the failure is raised again.
local later = require "fal.later"
local core = require "core"
local check = later "fal.check"
local shapes = later "fal.shapes"

local tasks = {}

local LONG <const> = 365 * 24 * 3600 * 1000
local TASKS_MAX <const> = 1000

local alive, spawned = {}, 0
local settling                          -- the latch of who waits for them all

--- What tasks wait for until somebody opens it: a nap that is ended early.
local function new_latch()
  return core.spawn(core.sleep, LONG)
end

--- A function that several tasks may call: each item goes to one of them.
function tasks.shared(next_item)
  local latch, busy, over = nil, false, false
  local function leave()
    busy = false
    if latch then
      latch:cancel()
      latch = nil
    end
  end
  return function()
    while busy do
      latch = latch or new_latch()
      latch:wait()
    end
    if over then
      return nil
    end
    busy = true
    local ok, item = pcall(next_item)
    over = not ok or item == nil
    leave()
    if not ok then
      error(item, 0)
    end
    return item
  end
end

local function work(state, take, f)
  while not state.failed do
    local item = take()
    if item == nil or state.failed then
      return
    end
    f(item)
  end
end

local function worker(state, take, f)
  local ok, err = pcall(work, state, take, f)
  if not ok and not state.failed then
    state.failed, state.err = true, err
  end
end

local function cancel_all(handles)
  for _, handle in ipairs(handles) do
    handle:cancel()
  end
end

--- Runs f(item) for every item in up to `count` tasks. Waits.
function tasks.run(next_item, f, count)
  local state, take = { failed = false }, tasks.shared(next_item)
  local handles <close> = setmetatable({}, { __close = cancel_all })
  for i = 1, count do
    handles[i] = core.spawn(worker, state, take, f)
  end
  for _, handle in ipairs(handles) do
    handle:wait()
  end
  if state.failed then
    error(state.err, 0)
  end
end

--- f as a function that works once, however many tasks call it: the first
--- starts it, all wait for it, and it fails for all.
function tasks.once(f)
  local handle
  return function(...)
    handle = handle or core.spawn(f, ...)
    if handle ~= true then
      local ok, err = handle:wait()
      if not ok then
        error(err, 0)
      end
      handle = true
    end
  end
end

--- An iterator over a list, or the iterator itself.
function tasks.items(func, items)
  if type(items) == "function" then
    return items
  elseif type(items) ~= "table" then
    check.fail(func, "items", "a list or an iterator, like fal.requests "
               .. "gives, is needed, got %s", type(items))
  elseif next(items) ~= nil and items[1] == nil then
    local whole = type(items.request_id) == "string"
    check.fail(func, "items", "a list or an iterator is needed, got a table "
               .. "with names; write %s", whole and "{ request }"
               or "fal.requests { ... } for a selection")
  end
  local at = 0
  return function()
    at = at + 1
    return items[at]
  end
end

--- fal.each: f(item) for every item, several at a time.
---@param items table|fun(): any
---@param f fun(item: any)
---@param options {concurrency: integer?}?
function tasks.each(items, f, options)
  local next_item = tasks.items("each", items)
  check.callable("each", "f", f)
  options = check.options("each", options, shapes.names "each")
  local count = 16
  if options.concurrency ~= nil then
    count = check.integer("each", "concurrency", options.concurrency, 1,
                          TASKS_MAX)
  end
  tasks.run(next_item, f, count)
end

local function body(key, f, ...)
  local _ <close> = setmetatable({}, { __close = function()
    alive[key] = nil
    if settling and not next(alive) then
      settling:cancel()
      settling = nil
    end
  end })
  return f(...)
end

--- fal.spawn: f(...) as a task of its own.
---@return fal.Task
function tasks.spawn(f, ...)
  check.callable("spawn", "f", f)
  spawned = spawned + 1
  local key = spawned
  alive[key] = true
  local handle = core.spawn(body, key, f, ...)
  if alive[key] then
    alive[key] = handle
  end
  return handle
end

--- For commands: waits for all that fal.spawn started, without claiming
--- their errors.
function tasks.settle()
  while next(alive) do
    settling = settling or new_latch()
    settling:wait()
  end
end

--- For commands: ends all that fal.spawn started.
function tasks.cancel()
  local handles = {}
  for _, handle in pairs(alive) do
    handles[#handles + 1] = handle
  end
  cancel_all(handles)
end

--- For commands: starts anew after a run whose tasks were ended hard; one
--- that had not begun could not take itself out.
function tasks.forget()
  alive, settling = {}, nil
end

return tasks
