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

--- The fields of a table that is written out, or of the one that a call is
--- given.
local function fields_of(node)
  local _, call = values.called(node)
  local kind, list = values.literal(call and call.args[1] or node)
  return kind == "table" and values.fields(list) or nil
end

--- The functions that a policy is given: they only decide.
local function rules_of(fields)
  local list = {}
  local function add(node)
    local kind, f = nil, nil
    if node then
      kind, f = values.literal(node)
    end
    list[#list + 1] = kind == "function" and f or nil
  end
  add(values.field(fields, "where"))
  add(values.field(fields, "reason"))
  local keep = values.field(fields, "keep")
  local keeps = keep and fields_of(keep)
  add(keeps and values.field(keeps, "by"))
  local hold = values.field(fields, "hold")
  local holds = hold and not values.called(hold) and fields_of(hold)
  for _, node in ipairs(holds and holds.positional or { hold }) do
    local path, call = values.called(node)
    add(path == "fal.hold.from" and call.args[1] or nil)
  end
  return list
end

--- So do those that are asked or told; the second that a before_delete is
--- given is a request.
local function mark_hooks(fields, listed)
  for _, name in ipairs { "before_delete", "on_finish", "on_failure" } do
    local node = values.field(fields, name)
    local kind, f = nil, nil
    if node then
      kind, f = values.literal(node)
    end
    if kind == "function" then
      f.decides = true
      mark(listed and name == "before_delete" and f.params[2])
    end
  end
end

--- The rules of a policy are given what it selects.
local function mark_policy(call)
  local fields = fields_of(call)
  if not fields then
    return
  end
  local selected = values.field(fields, "select")
  mark_hooks(fields, selected and is_listed(selected))
  for _, f in ipairs(rules_of(fields)) do
    f.decides = true
    if selected and is_listed(selected) then
      mark(f.params[1])
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

local function is_request(node)
  local var = values.of(node).var
  return var ~= nil and var.is_request
end

--- The field of a request that an expression is, or nil.
function rows.field(node)
  if node.kind == "index" and is_request(node.object) then
    local kind, name = values.literal(node.key)
    return kind == "string" and name or nil
  end
end

local function report(ctx, token, name)
  local meant = payload.MEANT[name]
  local near = meant and (" (did you mean '%s'?)"):format(meant)
    or kinds.near(name, payload.FIELDS)
  context.report(ctx, "unknown-request-field", token,
    ("a request has no field %s%s"):format(check.show(name), near),
    near == "" and "it has " .. table.concat(payload.FIELDS, ", ") or nil)
end

--- Fields that no request has, but for those that the script itself adds.
function rows.check(ctx)
  local added = {}
  for _, node in ipairs(ctx.tree.indexes) do
    local name = node.assigned and rows.field(node)
    added[name or false] = true
  end
  for _, node in ipairs(ctx.tree.indexes) do
    local name = rows.field(node)
    if name and not IS_FIELD[name] and not added[name] then
      report(ctx, node.key.token, name)
    end
  end
  for _, call in ipairs(ctx.tree.calls) do
    if call.method and not added[call.method] and is_request(call.callee) then
      report(ctx, call.at, call.method)
    end
  end
end

--- A request where a list is needed, and a second value of a loop.
function rows.check_uses(ctx)
  for _, call in ipairs(ctx.tree.calls) do
    local items = call.args[1]
    if items and values.called(call) == "fal.delete_all" and
      is_request(items) then
      context.report(ctx, "wrong-type", items.token, "items of "
        .. "fal.delete_all: a list or an iterator is needed, not a request",
        "write { request }")
    end
  end
  for _, loop in ipairs(ctx.tree.loops) do
    local second = loop.vars[2]
    if loop.generic and second and second.reads > 0 and
      is_listed(loop.values[1]) then
      context.report(ctx, "one-value", loop.token, "fal.requests gives one "
        .. "value, and this loop wants more", "write for request in "
        .. "fal.requests { ... } do")
    end
  end
end

return rows
