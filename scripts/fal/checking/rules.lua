--- What a policy or a script as a whole does not do, or does too much of.
local calls = require "fal.checking.calls"
local context = require "fal.checking.context"
local values = require "fal.checking.values"

local rules = {}

local NARROWS <const> = { "older_than", "end", "status", "request_id" }

--- Whether a call of fal.requests certainly selects everything.
local function is_whole(node)
  local fields = node and calls.selection(node)
  if not fields or fields.open then
    return false
  end
  for _, name in ipairs(NARROWS) do
    if values.field(fields, name) then
      return false
    end
  end
  return true
end

-- ---- declared policies -----------------------------------------------------

local function check_narrow(ctx, call, fields)
  local all = values.field(fields, "all")
  local kind, said = nil, false
  if all then
    kind, said = values.literal(all)
  end
  if values.field(fields, "where") or values.field(fields, "keep") or
    (all and (kind ~= "boolean" or said)) or
    not is_whole(values.field(fields, "select")) then
    return
  end
  context.report(ctx, "selects-everything", call.token, "fal.policy: nothing "
    .. "narrows the selection: every request would be erased", "add "
    .. "older_than = \"30d\" or a where, or say all = true")
end

local function check_limits(ctx, call, fields)
  local node = values.field(fields, "limits")
  local kind, list = nil, nil
  if node then
    kind, list = values.literal(node)
  end
  if not node or (kind == "table" and not list.items[1]) then
    context.report(ctx, "no-limits", call.token, "fal.policy: it has no "
      .. "limits: a mistake in the selection is not stopped",
      "add limits = { max = 5000 }")
  end
end

local function tightens(ctx)
  for _, call in ipairs(ctx.tree.calls) do
    if values.called(call) == "fal.limits" then
      return true
    end
  end
  return false
end

local function not_returned(ctx, call)
  context.report(ctx, "not-returned", call.token, "fal.policy: the policy is "
    .. "declared but not returned", "write return fal.policy { ... }")
end

--- Whether the file itself returns something.
local function returns_something(ctx)
  for _, made in ipairs(ctx.tree.returns) do
    if not made.inside and made.values[1] then
      return true
    end
  end
  return false
end

--- Policies that locals name which nobody reads.
local function check_unread(ctx)
  local seen = {}
  for _, var in ipairs(ctx.tree.locals) do
    local path, call = nil, nil
    if var.init and var.reads == 0 then
      path, call = values.called(var.init)
    end
    if path == "fal.policy" and not seen[call] then
      seen[call] = true
      not_returned(ctx, call)
    end
  end
  return seen
end

--- Declarations: narrow, limited, and returned.
function rules.policies(ctx)
  local limited, returned = tightens(ctx), returns_something(ctx)
  local unread = check_unread(ctx)
  for _, call in ipairs(ctx.tree.calls) do
    local is_policy = values.called(call) == "fal.policy"
    local kind, list
    if is_policy and call.args[1] then
      kind, list = values.literal(call.args[1])
    end
    local fields = kind == "table" and values.fields(list)
    if fields and not fields.open then
      check_narrow(ctx, call, fields)
      if not limited then
        check_limits(ctx, call, fields)
      end
    end
    if is_policy and not unread[call] and (call.statement or
      (not call.inside and not returned)) then
      not_returned(ctx, call)
    end
  end
end

--- Policies of a returned list that have one name, and entries that are none.
local function check_list(ctx, list)
  local fields = values.fields(list)
  local names, some, plain = {}, false, nil
  for _, node in ipairs(fields.positional) do
    local path, call = values.called(node)
    local options = path == "fal.policy" and call.args[1]
    local kind, given = nil, nil
    if options then
      kind, given = values.literal(options)
    end
    local name = kind == "table" and values.field(values.fields(given), "name")
    local is, text = nil, nil
    if name then
      is, text = values.literal(name)
    end
    if is == "string" and names[text] then
      context.report(ctx, "same-name", name.token, "fal.policy: another "
        .. "policy has this name", "give each its own")
    end
    names[is == "string" and text or false] = true
    some, plain = some or path == "fal.policy", plain or
      values.literal(node) == "table" and node
  end
  if some and plain then
    context.report(ctx, "not-returned", plain.token, "this entry of the "
      .. "returned list is no policy", "write fal.policy { ... }")
  end
end

--- A table that was meant for fal.policy, and came without it.
local function check_bare(ctx, list)
  local fields = values.fields(list)
  local selected = values.field(fields, "select")
  local path = selected and values.called(selected)
  if path == "fal.requests" or path == "fal.ids" then
    context.report(ctx, "not-returned", list.token, "a plain table is "
      .. "returned, not a policy", "write return fal.policy { ... }")
  end
end

--- What the file returns.
function rules.results(ctx)
  for _, made in ipairs(ctx.tree.returns) do
    local kind, list
    if not made.inside and made.values[1] then
      kind, list = values.literal(made.values[1])
    end
    if kind == "table" then
      check_list(ctx, list)
      check_bare(ctx, list)
    end
  end
end

-- ---- scripts ---------------------------------------------------------------

local function report_whole(ctx, node)
  local _, call = values.called(node)
  context.report(ctx, "deletes-everything", call.token, "fal.requests: "
    .. "nothing narrows it, and all that it lists is deleted",
    "add older_than = \"30d\"")
end

--- Whether a call is reached whenever the block is, with no way out of it.
local function is_straight(call, block)
  local at = call.block
  while at.kind == "do" do
    at = at.parent
  end
  return at == block and not call.guarded and block.exits == 0
end

--- Whether the block deletes what `var` is, each time.
local function deletes(ctx, block, var)
  for _, call in ipairs(ctx.tree.calls) do
    if values.called(call) == "fal.delete_payloads" and call.args[1] and
      is_straight(call, block) then
      local node = values.of(call.args[1])
      if node.kind == "index" then
        node = values.of(node.object)
      end
      if node.var == var then
        return true
      end
    end
  end
  return false
end

--- Lists that nothing narrows and that are deleted whole.
function rules.scripts(ctx)
  for _, loop in ipairs(ctx.tree.loops) do
    if loop.generic and is_whole(loop.values[1]) and
      deletes(ctx, loop.block, loop.vars[1]) then
      report_whole(ctx, loop.values[1])
    end
  end
  for _, call in ipairs(ctx.tree.calls) do
    local path, items = values.called(call), call.args[1]
    if path == "fal.delete_all" and items and is_whole(items) then
      report_whole(ctx, items)
    elseif path == "fal.each" and call.args[2] and is_whole(items) then
      local kind, f = values.literal(call.args[2])
      if kind == "function" and f.params[1] and
        deletes(ctx, f.block, f.params[1]) then
        report_whole(ctx, items)
      end
    end
  end
end

return rules
