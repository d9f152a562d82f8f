--- Functions that others call: where nothing can wait, and rules.
local context = require "fal.checking.context"
local operations = require "fal.checking.operations"
local shapes = require "fal.shapes"
local values = require "fal.checking.values"

local callbacks = {}

--- The function that table.sort or string.gsub is given, if it is one.
local function callback(call)
  local path, place = values.called(call), nil
  if path == "table.sort" then
    place = 2
  elseif path == "string.gsub" then
    place = 3
  elseif call.method == "gsub" then
    place, path = 2, "string.gsub"
  end
  local node = place and call.args[place]
  local kind, f
  if node then
    kind, f = values.literal(node)
  end
  return kind == "function" and f or nil, path
end

--- Calls that wait where nothing can: under table.sort and string.gsub.
function callbacks.check(ctx)
  local under = {}
  for _, call in ipairs(ctx.tree.calls) do
    local f, path = callback(call)
    if f then
      under[f] = path
    end
  end
  for _, call in ipairs(ctx.tree.calls) do
    local path, above = values.called(call), under[call.inside or false]
    if above and path and (shapes.waits[path] or
      path == "coroutine.yield") then
      context.report(ctx, "waits-in-callback", call.token, ("%s waits, and "
        .. "nothing can wait in the function of %s"):format(path, above),
        "collect what is needed first, and call it afterwards")
    end
  end
  for _, loop in ipairs(ctx.tree.loops) do
    local above = under[loop.inside or false]
    if above and loop.generic and
      values.called(loop.values[1]) == "fal.requests" then
      context.report(ctx, "waits-in-callback", loop.token, ("a list waits, "
        .. "and nothing can wait in the function of %s"):format(above),
        "walk the list before, in a loop of its own")
    end
  end
end

--- Rules that delete: they come before the limits are checked.
function callbacks.check_rules(ctx)
  for _, call in ipairs(ctx.tree.calls) do
    local path = values.called(call)
    if call.inside and call.inside.decides and (operations.changes(path) or
      path == "fal.delete_payloads" or path == "fal.delete_all") then
      context.report(ctx, "rule-deletes", call.token, path .. " in a rule: a "
        .. "rule only decides, the policy deletes")
    end
  end
end

return callbacks
