--- Reads a Lua text into what it calls, indexes and returns.
---
---   tokens --> expressions with their scopes resolved --> flat lists
---
--- The text has passed Lua's own parser before: nothing is checked here, and
--- nothing is run. Nodes have `kind` and `token`, where they begin. A name
--- has `var` when it is a local: {name, init, reads, writes}; a global has
--- none.
local cursor = require "fal.checking.cursor"
local expressions = require "fal.checking.expressions"
local lexer = require "fal.lexer"

local peek = cursor.peek
local take = cursor.take
local accept = cursor.accept
local open = cursor.open
local close = cursor.close
local declare = cursor.declare
local note_exit = cursor.note_exit

local reader = {}

local CLOSES <const> = { ["end"] = true, ["else"] = true, ["elseif"] = true,
                         ["until"] = true }


local function block(p, kind)
  local made = open(p, kind)
  expressions.statements(p)
  close(p)
  return made
end

local function names(p)
  local list = {}
  repeat
    list[#list + 1] = take(p).text
    if accept(p, "<") then
      take(p)
      accept(p, ">")
    end
  until not accept(p, ",")
  return list
end

local statement = {}

statement["if"] = function(p)
  repeat
    expressions.one(p)
    accept(p, "then")
    block(p, "if")
  until not accept(p, "elseif")
  if accept(p, "else") then
    block(p, "if")
  end
  accept(p, "end")
end

statement["while"] = function(p)
  expressions.one(p)
  accept(p, "do")
  block(p, "loop")
  accept(p, "end")
end

statement["do"] = function(p)
  block(p, "do")
  accept(p, "end")
end

statement["repeat"] = function(p)
  open(p, "loop")
  expressions.statements(p)
  accept(p, "until")
  expressions.one(p)
  close(p)
end

statement["for"] = function(p, token)
  local loop = { token = token, names = names(p), vars = {},
                 inside = p.inside }
  loop.generic = accept(p, "in") ~= nil
  accept(p, "=")
  loop.values = expressions.list(p)
  accept(p, "do")
  loop.block = open(p, "loop")
  for i, name in ipairs(loop.names) do
    loop.vars[i] = declare(p, name)
  end
  p.tree.loops[#p.tree.loops + 1] = loop
  expressions.statements(p)
  close(p)
  accept(p, "end")
end

--- A target of an assignment is no read.
local function assign(node)
  node.assigned = true
  if node.var then
    node.var.reads = node.var.reads - 1
    node.var.writes = node.var.writes + 1
  end
end

statement["function"] = function(p, token)
  local node, method = expressions.name(p), false
  local plain = node
  while peek(p).text ~= "(" do
    method = take(p).text == ":"
    node = expressions.index(p, node, expressions.word(take(p)))
  end
  if plain == node then
    assign(node)
  end
  node.assigned = true
  expressions.body(p, token, method)
end

statement["local"] = function(p)
  local token = accept(p, "function")
  if token then
    local var = declare(p, take(p).text)
    var.init = expressions.body(p, token)
    return
  end
  local list = names(p)
  local values = accept(p, "=") and expressions.list(p) or {}
  for i, name in ipairs(list) do
    declare(p, name, values[i])
  end
end

statement["return"] = function(p, token)
  local made = { token = token, inside = p.inside, values = {} }
  local next_text = peek(p).text
  if peek(p).kind ~= "end" and not CLOSES[next_text] and next_text ~= ";" then
    made.values = expressions.list(p)
  end
  p.tree.returns[#p.tree.returns + 1] = made
  note_exit(p)
end

statement["break"] = note_exit

statement["goto"] = function(p)
  take(p)
  note_exit(p)
end

statement["::"] = function(p)
  take(p)
  accept(p, "::")
end

statement[";"] = function() end

--- A call, or an assignment.
local function other(p)
  local targets = {}
  repeat
    targets[#targets + 1] = expressions.suffixed(p)
  until not accept(p, ",")
  if accept(p, "=") then
    expressions.list(p)
    for _, target in ipairs(targets) do
      assign(target)
    end
  else
    targets[1].statement = true
  end
end

function expressions.statements(p)
  while peek(p).kind ~= "end" and not CLOSES[peek(p).text] do
    local read = statement[peek(p).text]
    if read then
      read(p, take(p))
    else
      other(p)
    end
  end
end

--- What a text has, each list in the order of the text:
---   calls    {callee, args, method, inside, block, guarded, statement}
---   comparisons  {left, operator, right}
---   indexes  {object, key, assigned}    globals  names without a local
---   locals   {name, init, reads, writes}
---   loops    {names, vars, values, generic, block, inside}
---   returns  {values, inside}; `inside` is a function node, or nil
--- and `silent`, the lines whose findings a comment silences, and `own_env`
--- when a local takes the place of the globals.
---@param source string   Lua that has passed the parser
function reader.read(source)
  local tokens, silent = lexer.tokens(source)
  local p = { tokens = tokens, at = 1, guards = 0, tree = { calls = {},
    indexes = {}, comparisons = {}, globals = {}, locals = {}, loops = {},
    returns = {}, silent = silent } }
  open(p, "function")
  expressions.statements(p)
  return p.tree
end

return reader
