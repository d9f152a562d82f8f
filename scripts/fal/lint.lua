--- The free names of a Lua text: globals that nobody gives.
---
--- What a policy assigns itself (function f() end, at the top) counts as
--- known.
local reader = require "fal.checking.reader"

local lint = {}

--- What a policy has, apart from its own names.
lint.known = {
  "arg", "assert", "collectgarbage", "coroutine", "error", "fal",
  "getmetatable", "ipairs", "json", "load", "log", "math", "next", "os",
  "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
  "require", "select", "self", "setmetatable", "string", "table",
  "tonumber", "tostring", "type", "utf8", "xpcall", "_ENV", "_G", "_VERSION",
}

--- The names that the text assigns without declaring them.
function lint.assigned(tree)
  local names = {}
  for _, node in ipairs(tree.globals) do
    names[node.name] = node.assigned or names[node.name]
  end
  return names
end

--- The uses of unknown globals in a text that was read: its tokens. `given`
--- names more that there are.
function lint.unknown(tree, given)
  local known, found = lint.assigned(tree), {}
  if tree.own_env then          -- other globals than ours
    return found
  end
  for _, names in ipairs { lint.known, given or {} } do
    for _, name in ipairs(names) do
      known[name] = true
    end
  end
  for _, node in ipairs(tree.globals) do
    if not known[node.name] then
      found[#found + 1] = node.token
    end
  end
  return found
end

--- The uses of unknown globals: a list of {name, line}, in order.
---@param source string   Lua that has passed the parser
---@return {name:string, line:integer}[]
function lint.globals(source)
  local found = {}
  for i, token in ipairs(lint.unknown(reader.read(source))) do
    found[i] = { name = token.text, line = token.line }
  end
  return found
end

return lint
