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
local FAILURES <const> = 20          -- that are told of

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

--- Whether an error is the end of a task, and no failure of what it ran.
function hooks.is_over(err)
  local code = type(err) == "table" and rawget(err, "code")
  return code == "cancelled" or code == "interrupted"
end

--- Reports what a hook raised as the policy's failure, with its place: where
--- the text has none, that of the hook. Returns the words.
function hooks.fail(hook, name, err)
  if type(err) ~= "string" then
    local text = type(err) == "table" and rawget(err, "message")
    err = ("%s%s: %s"):format(hook.place, name, text or
      ("an error was raised that is a %s, not text"):format(type(err)))
  end
  hooks.host.guard(error, err, 0)
  return err
end

--- Whether somebody wants to be asked before a deletion.
function hooks.vetoes()
  return lists.before_delete[1] ~= nil
end

--- Whether somebody wants to be told of the end.
function hooks.told()
  return lists.on_finish[1] ~= nil or lists.on_failure[1] ~= nil
end

--- An observer of deletions as f, which keeps what failed in the list, too.
function hooks.watcher(failures, f)
  return function(id, result, err)
    if err and (err.status == "failed" or err.status == "partial") and
      #failures < FAILURES and hooks.told() then
      failures[#failures + 1] = { request_id = id, status = err.status,
                                  kind = err.kind, message = err.message }
    end
    f(id, result, err)
  end
end

return hooks
