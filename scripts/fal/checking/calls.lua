--- Names of the API, what its functions are given, and the window of a list.
local check = require "fal.check"
local context = require "fal.checking.context"
local core = require "core"
local durations = require "fal.checking.durations"
local kinds = require "fal.checking.kinds"
local shapes = require "fal.shapes"
local values = require "fal.checking.values"

local calls = {}

--- A context that takes no findings, for values that were checked before.
local function quiet(ctx)
  return { now = ctx.now, found = {}, tree = { silent = {} } }
end

local function is_one_of(words, word)
  for _, known in ipairs(words) do
    if known == word then
      return true
    end
  end
  return false
end

--- Fields of fal, fal.keep, fal.hold, json and log that are not there.
function calls.fields(ctx)
  for _, node in ipairs(ctx.tree.indexes) do
    local base = values.path(node.object)
    local known = not node.assigned and shapes.fields[base or ""]
    local kind, name
    if known then
      kind, name = values.literal(node.key)
    end
    if kind == "string" and not is_one_of(known, name) then
      context.report(ctx, "unknown-field", node.key.token,
        ("%s has no field %s%s"):format(base, check.show(name),
        kinds.near(name, known)))
    end
  end
end

-- ---- arguments -------------------------------------------------------------

local function is_open(args)
  local last = args[#args]
  return last and (last.kind == "call" or last.kind == "...")
end

local function arguments(ctx, path, node)
  local whole = path == "fal.delete_payloads" and #node.args > 0
    and not is_open(node.args) and values.of(node.args[1])
  for i, spec in ipairs(shapes.calls[path]) do
    local arg = node.args[i]
    local where = spec.kind == "options" and path
      or ("%s of %s"):format(spec.name, path)
    if arg then
      kinds.check(ctx, where, spec, arg)
    end
    if spec.needed and (not arg and not is_open(node.args) or
      arg and values.literal(arg) == "nil") then
      context.report(ctx, "missing", node.token, ("%s: %s is missing"):format(
        path, spec.name))
    end
  end
  if whole and whole.var and whole.var.is_request then
    context.report(ctx, "wrong-type", node.args[1].token, "id of "
      .. "fal.delete_payloads: a request id is needed, not a request",
      ("write %s.request_id"):format(whole.name))
  end
end

-- ---- windows ---------------------------------------------------------------

--- The options of a call of fal.requests as fields, or nil.
function calls.selection(node)
  local path, call = values.called(node)
  if path == "fal.requests" and call.args[1] then
    local kind, list = values.literal(call.args[1])
    return kind == "table" and values.fields(list) or nil
  end
end

local function time_at(ctx, fields, name)
  local node = values.field(fields, name)
  return node and durations.time(quiet(ctx), "", node), node
end

local function cutoff(ctx, fields)
  local ended, ended_node = time_at(ctx, fields, "end")
  local node = values.field(fields, "older_than")
  local older = node and durations.duration(quiet(ctx), "", node)
  local before = math.min(ended or ctx.now, older and ctx.now - older
    or ctx.now)
  return before, ended, ended_node, older and node or ended_node
end

--- What fal.requests refuses of a window when it is called now.
local function window(ctx, node)
  local fields = calls.selection(node)
  if not fields then
    return
  end
  local before, ended, ended_node, by = cutoff(ctx, fields)
  local from, from_node = time_at(ctx, fields, "start")
  if ended and ended > ctx.now then
    context.report(ctx, "future-window", ended_node.token, "end of "
      .. "fal.requests: it is in the future, and what has not ended cannot "
      .. "be listed", "leave it out: the default is now")
  elseif from and from > ctx.now then
    context.report(ctx, "future-window", from_node.token, "start of "
      .. "fal.requests: it is in the future")
  elseif from and from >= before then
    context.report(ctx, "empty-window", from_node.token, ("start of "
      .. "fal.requests: the window is empty: it is not before the end, %s")
      :format(core.format_time(before // 1000 * 1000)))
  elseif not from and not values.field(fields, "start") and by and
    before <= core.parse_time(shapes.BEGINNING) then
    context.report(ctx, "empty-window", by.token, "fal.requests: the window "
      .. "is empty: there are no requests from before " .. shapes.BEGINNING)
  end
end

--- All calls of the API.
function calls.check(ctx)
  for _, node in ipairs(ctx.tree.calls) do
    local path = values.called(node)
    if path and shapes.calls[path] then
      arguments(ctx, path, node)
    end
    if path == "fal.requests" then
      window(ctx, node)
    end
  end
end

return calls
