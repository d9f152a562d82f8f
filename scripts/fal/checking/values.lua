--- What is certain about the value of an expression, without running it.
---
--- Everything else has no answer here: a false alarm is worse than a miss.
local values = {}

local ROOTS <const> = { fal = true, json = true, log = true, table = true,
                        string = true, os = true, math = true, utf8 = true,
                        coroutine = true }
local STEPS <const> = 50                -- through names of names, and sums
local LONGEST <const> = 1000            -- text that is joined

--- The node behind parentheses and locals that never change. A table that a
--- local names may be filled later, so it counts only if it is used once.
function values.of(node)
  for _ = 1, STEPS do
    local var, next_node = node.var, nil
    if node.kind == "paren" then
      next_node = node.inner
    elseif var and var.init and var.writes == 0 then
      next_node = var.init
    end
    if not next_node or (next_node.kind == "table" and var and
      var.reads > 1) then
      return node
    end
    node = next_node
  end
  return node
end

--- The text of a string, as Lua reads it.
local function text_of(node)
  if node.value then
    return node.value
  end
  if node.raw:find("^%[") or node.raw:find("\\", 1, true) then
    node.value = load("return " .. node.raw, "=text", "t", {})()
  else
    node.value = node.raw:sub(2, -2)
  end
  return node.value
end

local SUMS <const> = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) return a / b end,
  [".."] = function(a, b) return a .. b end,
}

--- What a sum of numbers, or text that is joined, comes to.
local function computed(node, depth)
  local f = SUMS[node.operator]
  if not f or depth > STEPS then
    return nil
  end
  local joined = node.operator == ".."
  local left, a = values.literal(node.left, depth + 1)
  local right, b = values.literal(node.right, depth + 1)
  local function fits(kind, value)
    return kind == "number" or joined and kind == "string" and
      #value <= LONGEST
  end
  if fits(left, a) and fits(right, b) then
    return joined and "string" or "number", f(a, b)
  end
end

--- The type of a value and the value, where both are known; "table" and
--- "function" have the node as their value. Nothing for what is not known.
---@return string? kind, any value
function values.literal(node, depth)
  node = values.of(node)
  local kind = node.kind
  if kind == "string" then
    local text = text_of(node)
    return text and "string", text
  elseif kind == "number" then
    return "number", node.value
  elseif kind == "true" or kind == "false" then
    return "boolean", kind == "true"
  elseif kind == "nil" then
    return "nil"
  elseif kind == "table" or kind == "function" then
    return kind, node
  elseif kind == "unary" and node.operator == "-" then
    local of, value = values.literal(node.operand, depth)
    if of == "number" then
      return "number", -value
    end
  elseif kind == "binary" then
    if not node.sum then        -- once, however often a local is named
      node.sum = table.pack(computed(node, depth or 0))
    end
    return node.sum[1], node.sum[2]
  end
end

--- "fal.keep.any" for what names it, also through locals; or nil.
function values.path(node)
  node = values.of(node)
  if node.kind == "name" and not node.var then
    return ROOTS[node.name] and node.name or nil
  elseif node.kind == "index" then
    local kind, key = values.literal(node.key)
    local base = kind == "string" and values.path(node.object)
    return base and base .. "." .. key
  end
end

--- The path of the function that a call is of, or nil, and the call itself.
function values.called(node)
  node = values.of(node)
  if node.kind ~= "call" then
    return nil
  elseif node.path == nil then          -- asked for often, so it is kept
    node.path = not node.method and values.path(node.callee) or false
  end
  return node.path or nil, node
end

--- A table constructor: what is at each name {key, value}, in order too, the
--- entries without a name, and whether there is more that is not known.
function values.fields(node)
  local fields = { at = {}, order = {}, positional = {}, doubles = {} }
  for i, item in ipairs(node.items) do
    local kind, name
    if item.key then
      kind, name = values.literal(item.key)
    end
    if kind == "string" then
      fields.doubles[#fields.doubles + 1] = fields.at[name] and item or nil
      fields.at[name] = item
      fields.order[#fields.order + 1] = { name = name, item = item }
    elseif item.key then
      fields.open = true
    else
      fields.positional[#fields.positional + 1] = item.value
      fields.spread = i == #node.items and (item.value.kind == "call"
        or item.value.kind == "...")
    end
  end
  return fields
end

--- What a name is set to, or nil when it is not there or is nil.
function values.field(fields, name)
  local item = fields.at[name]
  return item and values.literal(item.value) ~= "nil" and item.value or nil
end

return values
