--- What a policy wants to be asked or told: the list of its functions.
---
---   before_delete   asked about each deletion, just before the gate
---                   (fal/veto.lua)
---   on_finish       told of the run, when all was answered
---   on_failure      the same, where the exit code is not 0 (fal/ending.lua)
---
--- All of a file count for the whole run, whichever policy of it names them.
local core = require "core"
local later = require "fal.later"
local check = later "fal.check"

local hooks = {}

local MOST <const> = 100

local lists = { before_delete = {}, on_finish = {}, on_failure = {} }

--- The host of the run that is on: its guard reports what a hook raises.
hooks.host = nil

--- Begins a run: forgets those of an earlier one in this process.
function hooks.begin(host)
  hooks.host = host
  for name in pairs(lists) do
    lists[name] = {}
  end
end

--- Adds a function, once.
---@param func string   what the policy called, for messages
---@param argument string   of it
function hooks.add(name, func, argument, f)
  check.callable(func, argument, f)
  local list = lists[name]
  for _, one in ipairs(list) do
    if one.f == f then
      return
    end
  end
  if #list >= MOST then
    check.fail(func, argument, "a run has at most %d of them", MOST)
  end
  list[#list + 1] = { f = f, place = core.where() }
end

local function adder(name)
  return function(f)
    hooks.add(name, name, "f", f)
  end
end

hooks.before_delete = adder "before_delete"
hooks.on_finish = adder "on_finish"
hooks.on_failure = adder "on_failure"

--- {f, place} for each, in their order.
function hooks.list(name)
  return lists[name]
end

--- Whether somebody wants to be asked before a deletion.
function hooks.vetoes()
  return lists.before_delete[1] ~= nil
end

return hooks
