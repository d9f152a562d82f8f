--- Lua's tokens, for reading a policy without running it.
---
--- The text has passed Lua's own parser before: nothing is checked here.
local lexer = {}

local WORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in
    local nil not or repeat return then true until while]]):gmatch("%a+") do
  WORDS[word] = true
end

--- Longest first.
local OPERATORS <const> = { "...", "==", "~=", "<=", ">=", "//", "::", "<<",
                            ">>", ".." }

--- The end of a long bracket that opens at `at`, or nil.
local function long_end(source, at)
  local level = source:match("^%[(=*)%[", at)
  if level then
    local _, last = source:find("]" .. level .. "]", at, true)
    return last or #source
  end
end

--- The end of a quoted string that opens at `at`.
local function quote_end(source, at)
  local quote, last = source:sub(at, at), at + 1
  while last <= #source and source:sub(last, last) ~= quote do
    last = last + (source:sub(last, last) == "\\" and 2 or 1)
  end
  return last
end

local function comment_end(source, at)
  return long_end(source, at + 2) or (source:find("\n", at, true)
    or #source + 1) - 1
end

local function number_end(source, at)
  local _, last = source:find("^0[xX][%x%.]*", at)
  if not last then
    _, last = source:find("^%d*%.?%d*", at)
  end
  local _, exponent = source:find("^[eEpP][%+%-]?%x+", last + 1)
  return exponent or last
end

local function operator_at(source, at)
  for _, operator in ipairs(OPERATORS) do
    if source:sub(at, at + #operator - 1) == operator then
      return operator
    end
  end
  return source:sub(at, at)
end

--- The kind and the last byte of what begins at `at`; no kind: skip it.
local function read(source, at)
  local first = source:sub(at, at)
  if first:find("%s") then
    return nil, select(2, source:find("^%s+", at))
  elseif source:find("^%-%-", at) then
    return nil, comment_end(source, at)
  elseif first:find("[%a_]") then
    local _, last = source:find("^[%w_]+", at)
    return WORDS[source:sub(at, last)] and "word" or "name", last
  elseif first:find("%d") or source:find("^%.%d", at) then
    return "number", number_end(source, at)
  elseif first == '"' or first == "'" then
    return "string", quote_end(source, at)
  elseif long_end(source, at) then
    return "string", long_end(source, at)
  end
  return "operator", at + #operator_at(source, at) - 1
end

local function newlines(source, from, to)
  return select(2, source:sub(from, to):gsub("\n", ""))
end

--- All tokens: {kind, text, line, braces}; `braces` is how many { are open.
---@param source string
---@return {kind:string, text:string, line:integer, braces:integer}[]
function lexer.tokens(source)
  source = source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", "")
  local tokens, at, line, braces = {}, 1, 1, 0
  while at <= #source do
    local kind, last = read(source, at)
    if kind then
      local text = kind == "string" and "" or source:sub(at, last)
      braces = braces - (text == "}" and 1 or 0)
      tokens[#tokens + 1] = { kind = kind, text = text, line = line,
                              braces = braces }
      braces = braces + (text == "{" and 1 or 0)
    end
    line = line + newlines(source, at, last)
    at = last + 1
  end
  tokens[#tokens + 1] = { kind = "end", text = "", line = line, braces = 0 }
  return tokens
end

return lexer
