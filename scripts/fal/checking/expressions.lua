--- Expressions as nodes, with their scopes resolved. reader.lua says what a
--- tree has, and gives this file the reader of statements.
local cursor = require "fal.checking.cursor"

local peek = cursor.peek
local take = cursor.take
local accept = cursor.accept
local open = cursor.open
local close = cursor.close
local declare = cursor.declare
local find = cursor.find

local expressions = {}

local UNARY <const> = { ["not"] = true, ["-"] = true, ["#"] = true,
                        ["~"] = true }
local UNARY_BINDS <const> = 12
local BINARY <const> = {                -- how it binds to the left, the right
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 }, ["<"] = { 3, 3 }, [">"] = { 3, 3 },
  ["<="] = { 3, 3 }, [">="] = { 3, 3 }, ["~="] = { 3, 3 },
  ["=="] = { 3, 3 }, ["|"] = { 4, 4 }, ["~"] = { 5, 5 }, ["&"] = { 6, 6 },
  ["<<"] = { 7, 7 }, [">>"] = { 7, 7 }, [".."] = { 9, 8 },
  ["+"] = { 10, 10 }, ["-"] = { 10, 10 }, ["*"] = { 11, 11 },
  ["/"] = { 11, 11 }, ["//"] = { 11, 11 }, ["%"] = { 11, 11 },
  ["^"] = { 14, 13 },
}

function expressions.list(p)
  local list = {}
  repeat
    list[#list + 1] = expressions.one(p)
  until not accept(p, ",")
  return list
end

function expressions.name(p)
  local token = take(p)
  local node = { kind = "name", name = token.text, token = token,
                 var = find(p, token.text) }
  if node.var then
    node.var.reads = node.var.reads + 1
  else
    p.tree.globals[#p.tree.globals + 1] = node
  end
  return node
end

local function text_node(token)
  return { kind = "string", token = token, raw = token.raw }
end

--- A name where Lua means text: after a dot, or a key.
function expressions.word(token)
  return { kind = "string", token = token, value = token.text }
end

local function item_node(p)
  local item
  if accept(p, "[") then
    item = { key = expressions.one(p) }
    accept(p, "]")
    accept(p, "=")
  elseif peek(p).kind == "name" and p.tokens[p.at + 1].text == "=" then
    item = { key = expressions.word(take(p)) }
    accept(p, "=")
  else
    item = {}
  end
  item.value = expressions.one(p)
  return item
end

local function table_node(p)
  local node = { kind = "table", token = take(p), items = {} }
  while not accept(p, "}") do
    node.items[#node.items + 1] = item_node(p)
    if not accept(p, ",") then
      accept(p, ";")
    end
  end
  return node
end

local function arguments(p)
  if peek(p).kind == "string" then
    return { text_node(take(p)) }
  elseif peek(p).text == "{" then
    return { table_node(p) }
  end
  accept(p, "(")
  if accept(p, ")") then
    return {}
  end
  local list = expressions.list(p)
  accept(p, ")")
  return list
end

local function call_node(p, callee, method)
  local node = { kind = "call", callee = callee, method = method,
                 token = callee.token, at = p.tokens[p.at - 1],
                 inside = p.inside, block = p.block, guarded = p.guards > 0 }
  p.tree.calls[#p.tree.calls + 1] = node
  node.args = arguments(p)
  return node
end

function expressions.index(p, object, key)
  local node = { kind = "index", object = object, key = key,
                 token = object.token }
  p.tree.indexes[#p.tree.indexes + 1] = node
  return node
end

local function suffix(p, node)
  local token = peek(p)
  if token.kind == "name" or token.kind == "word" then
    return nil
  elseif token.text == "." then
    take(p)
    return expressions.index(p, node, expressions.word(take(p)))
  elseif token.text == "[" then
    take(p)
    node = expressions.index(p, node, expressions.one(p))
    accept(p, "]")
    return node
  elseif token.text == ":" then
    take(p)
    return call_node(p, node, take(p).text)
  elseif token.text == "(" or token.text == "{" or token.kind == "string" then
    return call_node(p, node)
  end
end

function expressions.suffixed(p)
  local node, longer
  if peek(p).text == "(" then
    node = { kind = "paren", token = take(p), inner = expressions.one(p) }
    accept(p, ")")
  else
    node = expressions.name(p)
  end
  repeat
    node, longer = suffix(p, node) or node, node
  until node == longer
  return node
end

local function simple(p)
  local token = peek(p)
  if token.kind == "number" then
    return { kind = "number", token = take(p), value = tonumber(token.text) }
  elseif token.kind == "string" then
    return text_node(take(p))
  elseif token.text == "{" then
    return table_node(p)
  elseif token.text == "function" then
    return expressions.body(p, take(p))
  elseif token.kind == "word" or token.text == "..." then
    return { kind = token.text, token = take(p) }       -- nil, true, false
  end
  return expressions.suffixed(p)
end

local function unary(p)
  local token = take(p)
  return { kind = "unary", operator = token.text, token = token,
           operand = expressions.one(p, UNARY_BINDS) }
end

--- What comes after "and" and "or" may not be reached.
local function operand(p, operator, binds)
  local guard = (operator == "and" or operator == "or") and 1 or 0
  p.guards = p.guards + guard
  local node = expressions.one(p, binds)
  p.guards = p.guards - guard
  return node
end

local COMPARES <const> = { ["=="] = true, ["~="] = true, ["<"] = true,
                           ["<="] = true, [">"] = true, [">="] = true }

function expressions.one(p, least)
  local node = UNARY[peek(p).text] and unary(p) or simple(p)
  while true do
    local operator = peek(p).text
    local binds = BINARY[operator]
    if not binds or binds[1] <= (least or 0) then
      return node
    end
    take(p)
    node = { kind = "binary", operator = operator, token = node.token,
             left = node, right = operand(p, operator, binds[2]) }
    if COMPARES[operator] then
      p.tree.comparisons[#p.tree.comparisons + 1] = node
    end
  end
end

--- From the parameters to the end; `method` has the parameter self.
function expressions.body(p, token, method)
  local node = { kind = "function", token = token, params = {},
                 inside = p.inside }
  local guards = p.guards
  p.inside, p.guards = node, 0
  node.block = open(p, "function")
  if method then
    node.params[1] = declare(p, "self")
  end
  accept(p, "(")
  while not accept(p, ")") do
    local param = take(p)
    if param.kind == "name" then
      node.params[#node.params + 1] = declare(p, param.text)
    end
  end
  expressions.statements(p)
  accept(p, "end")
  close(p)
  p.inside, p.guards = node.inside, guards
  return node
end

return expressions
