--- Tables of the API and of Lua's library: how they are called, and what they
--- do not have.
local check = require "fal.check"
local context = require "fal.checking.context"
local kinds = require "fal.checking.kinds"
local shapes = require "fal.shapes"
local values = require "fal.checking.values"

local library = {}

local TABLES <const> = { string = string, table = table, math = math, os = os,
                         utf8 = utf8, coroutine = coroutine }

local function has(names, word)
  for _, name in ipairs(names) do
    if name == word then
      return true
    end
  end
  return false
end

--- A field of an index node, and the path of its table.
local function field_of(node)
  if node.kind ~= "index" then
    return nil
  end
  local kind, name = values.literal(node.key)
  return kind == "string" and name or nil, values.path(node.object)
end

--- The names that the text itself gives to tables.
local function own_names(ctx)
  local own = {}
  for _, node in ipairs(ctx.tree.indexes) do
    local name = node.assigned and field_of(node)
    own[name or false] = true
  end
  return own
end

--- Lua's library answers nil for what it has not; only the call fails.
local function missing(ctx, call, own)
  local callee = values.of(call.callee)
  local name, path = field_of(callee)
  local known = name and TABLES[path or false]
  if not known or known[name] ~= nil or own[name] or ctx.assigned[path] then
    return
  end
  local names = {}
  for known_name in pairs(known) do
    names[#names + 1] = known_name
  end
  table.sort(names)
  context.report(ctx, "unknown-field", callee.key.token,
    ("%s has no field %s%s"):format(path, check.show(name),
    kinds.near(name, names)), nil,
    ("attempt to call a nil value (field '%s')"):format(name))
end

--- fal { ... } and fal:requests { ... }
local function miscalled(ctx, call)
  local path = values.path(call.callee)
  local names = shapes.fields[path or false]
  if not names then
    return
  elseif not call.method then
    context.report(ctx, "not-a-function", call.token, ("%s is a table, not a "
      .. "function"):format(path), "it has " .. table.concat(names, ", "))
  elseif has(names, call.method) then
    context.report(ctx, "called-with-colon", call.at, ("%s:%s: functions of "
      .. "%s are called with a dot"):format(path, call.method, path),
      ("write %s.%s"):format(path, call.method))
  else
    context.report(ctx, "unknown-field", call.at, ("%s has no field %s%s")
      :format(path, check.show(call.method), kinds.near(call.method, names)))
  end
end

function library.check(ctx)
  local own = own_names(ctx)
  for _, call in ipairs(ctx.tree.calls) do
    missing(ctx, call, own)
    miscalled(ctx, call)
  end
end

--- What falrun gives cannot be replaced, nor changed.
function library.check_writes(ctx)
  for _, node in ipairs(ctx.tree.globals) do
    if node.assigned and shapes.fields[node.name] and not ctx.tree.own_env
    then
      context.report(ctx, "read-only", node.token, ("%s cannot be replaced")
        :format(node.name), "choose another name, with local")
    end
  end
  for _, node in ipairs(ctx.tree.indexes) do
    local name, path = field_of(node)
    if node.assigned and name and shapes.fields[path or false] and
      not ctx.assigned[path] then
      context.report(ctx, "read-only", node.key.token, ("%s.%s cannot be set: "
        .. "the library is read-only"):format(path, name),
        "keep it in a local of your own")
    end
  end
end

return library
