--- Requests: which names stand for one, and fields that none has.
local check = require "fal.check"
local context = require "fal.checking.context"
local kinds = require "fal.checking.kinds"
local payload = require "fal.payload"
local values = require "fal.checking.values"

local rows = {}

local IS_FIELD <const> = {}
for _, name in ipairs(payload.FIELDS) do
  IS_FIELD[name] = true
end

local function mark(var)
  if var then
    var.is_request = var.writes == 0
  end
end

local function mark_parameter(node)
  local kind, f = values.literal(node)
  if kind == "function" then
    mark(f.params[1])
  end
end

--- Items of other origin may have fields of their own: only what fal.requests
--- lists is looked at.
local function is_listed(node)
  return values.called(node) == "fal.requests"
end

--- The rules of a policy are given what it selects.
local function mark_policy(call)
  local kind, list = values.literal(call.args[1])
  local fields = kind == "table" and values.fields(list)
  local selected = fields and values.field(fields, "select")
  if not selected or not is_listed(selected) then
    return
  end
  for _, name in ipairs { "where", "reason" } do
    local rule = values.field(fields, name)
    if rule then
      mark_parameter(rule)
    end
  end
end

--- Marks the locals and parameters that are requests of a list.
function rows.mark(ctx)
  for _, loop in ipairs(ctx.tree.loops) do
    if loop.generic and is_listed(loop.values[1]) then
      mark(loop.vars[1])
    end
  end
  for _, call in ipairs(ctx.tree.calls) do
    local path = values.called(call)
    if path == "fal.policy" and call.args[1] then
      mark_policy(call)
    elseif path == "fal.each" and call.args[2] and is_listed(call.args[1]) then
      mark_parameter(call.args[2])
    end
  end
end

local function request_field(node)
  local var = values.of(node.object).var
  if var and var.is_request then
    local kind, name = values.literal(node.key)
    return kind == "string" and name or nil
  end
end

local function report(ctx, node, name)
  local meant = payload.MEANT[name]
  local near = meant and (" (did you mean '%s'?)"):format(meant)
    or kinds.near(name, payload.FIELDS)
  context.report(ctx, "unknown-request-field", node.key.token,
    ("a request has no field %s%s"):format(check.show(name), near),
    near == "" and "it has " .. table.concat(payload.FIELDS, ", ") or nil)
end

--- Fields that no request has, but for those that the script itself adds.
function rows.check(ctx)
  local added = {}
  for _, node in ipairs(ctx.tree.indexes) do
    local name = node.assigned and request_field(node)
    added[name or false] = true
  end
  for _, node in ipairs(ctx.tree.indexes) do
    local name = request_field(node)
    if name and not IS_FIELD[name] and not added[name] then
      report(ctx, node, name)
    end
  end
end

return rows
