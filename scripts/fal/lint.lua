--- The free names of a Lua text: globals that nobody gives.
---
--- A reader of Lua's scopes, not of its grammar: the text has passed Lua's
--- own parser before, so blocks close where they must. What a policy assigns
--- itself (function f() end, at the top) counts as known.
local lexer = require "fal.lexer"

local lint = {}

--- What a policy has, apart from its own names.
lint.known = {
  "arg", "assert", "collectgarbage", "coroutine", "error", "fal",
  "getmetatable", "ipairs", "json", "load", "log", "math", "next", "os",
  "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
  "require", "select", "self", "setmetatable", "string", "table",
  "tonumber", "tostring", "type", "utf8", "xpcall", "_ENV", "_G", "_VERSION",
}

local OPENS <const> = { ["do"] = true, ["then"] = true, ["repeat"] = true }

local function open(state)
  state.scopes[#state.scopes + 1] = {}
end

local function close(state)
  state.scopes[#state.scopes] = nil
end

local function declare(state, name)
  state.scopes[#state.scopes][name] = true
end

local function is_declared(state, name)
  for i = #state.scopes, 1, -1 do
    if state.scopes[i][name] then
      return true
    end
  end
  return false
end

--- Names up to a token that is none of a list of names: a, b <const>, c
local function name_list(tokens, at, names)
  while tokens[at] and tokens[at].kind == "name" do
    names[#names + 1] = tokens[at].text
    at = at + 1
    if tokens[at].text == "<" then
      at = at + 3
    end
    if tokens[at].text ~= "," then
      break
    end
    at = at + 1
  end
  return at
end

--- After "function": name, parameters; opens the scope of the body.
local function start_function(state, at, is_local)
  local tokens = state.tokens
  if tokens[at].kind == "name" then
    local plain = tokens[at + 1].text == "("
    if is_local then
      declare(state, tokens[at].text)
    elseif plain then
      state.assigned[tokens[at].text] = true
    elseif not is_declared(state, tokens[at].text) then
      state.uses[#state.uses + 1] = tokens[at]
    end
    while tokens[at].text ~= "(" do
      at = at + 1
    end
  end
  local names = {}
  at = name_list(tokens, at + 1, names)
  open(state)
  for _, name in ipairs(names) do
    declare(state, name)
  end
  return at
end

--- After "for": the names belong to the block that the next "do" opens.
local function start_for(state, at)
  local names = {}
  at = name_list(state.tokens, at, names)
  state.pending[#state.pending + 1] = names
  return at
end

--- After "local". The names count at once, so one that is used in its own
--- initializer is let through.
local function start_local(state, at)
  if state.tokens[at].text == "function" then
    return start_function(state, at + 1, true)
  end
  local names = {}
  at = name_list(state.tokens, at, names)
  for _, name in ipairs(names) do
    declare(state, name)
  end
  return at
end

local function start_block(state, word)
  open(state)
  local names = word == "do" and state.loops[#state.loops] == "for"
    and table.remove(state.pending)
  for _, name in ipairs(names or {}) do
    declare(state, name)
  end
  if word == "do" then
    state.loops[#state.loops] = nil
  end
end

local keyword = {}

keyword["function"] = function(state, at)
  return start_function(state, at, false)
end
keyword["local"] = start_local
keyword["for"] = function(state, at)
  state.loops[#state.loops + 1] = "for"
  return start_for(state, at)
end
keyword["while"] = function(state, at)
  state.loops[#state.loops + 1] = "while"
  return at
end
keyword["end"] = function(state, at)
  close(state)
  return at
end
keyword["elseif"] = keyword["end"]
keyword["else"] = function(state, at)
  close(state)
  open(state)
  return at
end
--- A repeat's names still count in its condition, whose end is not looked
--- for: the scope stays open. That only lets more through.

--- Whether the name at `at` is a use of a variable, not a field, a method,
--- a label or a key.
local function is_variable(tokens, at)
  local before = tokens[at - 1] and tokens[at - 1].text
  local after = tokens[at + 1] and tokens[at + 1].text
  if before == "." or before == ":" or before == "goto" or before == "::" then
    return false
  end
  return not (after == "=" and (before == "{" or before == ","
    or before == ";") and tokens[at].braces > 0)
end

--- Whether an assignment begins here: name =, or name, name =
local function is_assigned(tokens, at)
  local after = at + 1
  while tokens[at].braces == 0 and tokens[after].text == "," and
    tokens[after + 1].kind == "name" do
    after = after + 2
  end
  return tokens[after].text == "="
end

local function note_use(state, at)
  local token = state.tokens[at]
  if not is_variable(state.tokens, at) or is_declared(state, token.text) then
    return
  elseif is_assigned(state.tokens, at) then
    state.assigned[token.text] = true
  else
    state.uses[#state.uses + 1] = token
  end
end

local function walk(state)
  local tokens, at = state.tokens, 1
  while at <= #tokens do
    local token = tokens[at]
    at = at + 1
    if token.kind == "name" then
      note_use(state, at - 1)
    elseif keyword[token.text] and token.kind == "word" then
      at = keyword[token.text](state, at)
    elseif OPENS[token.text] and token.kind == "word" then
      start_block(state, token.text)
    end
  end
end

--- The uses of unknown globals: a list of {name, line}, in order.
---@param source string   Lua that has passed the parser
---@return {name:string, line:integer}[]
function lint.globals(source)
  local state = { tokens = lexer.tokens(source), scopes = {}, uses = {},
                  assigned = {}, pending = {}, loops = {} }
  open(state)
  walk(state)
  for _, name in ipairs(lint.known) do
    state.assigned[name] = true
  end
  local found = {}
  for _, token in ipairs(state.uses) do
    if not state.assigned[token.text] then
      found[#found + 1] = { name = token.text, line = token.line }
    end
  end
  return found
end

return lint
