--- The sandbox without a process or a port: its handler behind a stage.
---
---   stage (host.stage) --> handler (main.lua) --> world: fixture or generated
local assets = require "sandbox.assets"
local faults = require "sandbox.faults"
local limits = require "sandbox.limits"
local main = require "sandbox.main"

local offline = {}

--- Opens a stage over a world at the time `at`; close it when it is over.
---@param host table
---@param config {at:integer, world:table, switches:table?}
---@return table? stage, table state   or nil and an error
function offline.open(host, config)
  local state = {
    world = config.world, faults = faults.new(nil, 1), latency = { 0, 0 },
    offline = true,
    limits = limits.new(nil, nil),
    switches = config.switches or {
      second_delete = "empty", cache_errors = false, deleted_rows = "stay",
      window_field = "ended_at", sort = "desc",
    },
  }
  local stage, err = host.stage { at = config.at,
                                  handler = main.handler(state) }
  if not stage then
    return nil, err
  end
  return stage, state
end

local function on_shelf(shelf, name)
  for _, one in ipairs(shelf.list) do
    if one.name == name then
      return one.id
    end
  end
  return shelf:add({ name = name, type = "manual" }).id
end

--- Marks the first file of a request: {collections = names, tags = names,
--- favorite}. What is not there yet is made.
function offline.mark(state, id, marks)
  local library = assets.library(state)
  local its = library:mark(id .. "-1")
  its.favorite = marks.favorite or nil
  for _, kind in ipairs { "collections", "tags" } do
    for _, name in ipairs(marks[kind]) do
      its[kind][on_shelf(library[kind], name)] = true
    end
  end
end

--- Sets the faults that strike from now on: nil, or what is wrong.
function offline.set_faults(state, text, seed)
  local made, why = faults.new(text, seed or 1)
  state.faults = made or state.faults
  return why
end

return offline
