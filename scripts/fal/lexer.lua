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
  local count, at = 0, from
  while true do
    at = source:find("\n", at, true)
    if not at or at > to then
      return count
    end
    count, at = count + 1, at + 1
  end
end

--- The column of a byte, from 1.
local function column(source, at)
  local from = at
  while from > 1 and source:byte(from - 1) ~= 10 do
    from = from - 1
  end
  return at - from + 1
end

--- A comment that silences the findings of its line.
local function silences(source, at, last)
  return source:find("^%-%-+%s*falrun:%s*ignore%f[^%w_-]", at) ~= nil and
    source:sub(at, last):find("\n", 1, true) == nil
end

local function new_token(source, kind, at, last)
  local whole = source:sub(at, last)
  return { kind = kind, text = kind == "string" and "" or whole,
           raw = kind == "string" and whole or nil }
end

--- All tokens: {kind, text, line, column, braces}; `braces` is how many { are
--- open. The text of a string is empty, and `raw` is as it was written. The
--- second value has the lines that a comment silences.
---@param source string
---@return {kind:string, text:string, line:integer, column:integer}[]
---@return table<integer, boolean>
function lexer.tokens(source)
  source = source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", "")
  local tokens, silent, at, line, braces = {}, {}, 1, 1, 0
  local last_line, bol = 1, 1             -- of the line that `at` is on
  while at <= #source do
    local kind, last = read(source, at)
    if kind then
      local token = new_token(source, kind, at, last)
      if line ~= last_line then
        last_line, bol = line, at - column(source, at) + 1
      end
      braces = braces - (token.text == "}" and 1 or 0)
      token.line, token.column, token.braces = line, at - bol + 1, braces
      tokens[#tokens + 1] = token
      braces = braces + (token.text == "{" and 1 or 0)
    elseif silences(source, at, last) then
      silent[line] = true
    end
    if kind ~= "name" and kind ~= "word" and kind ~= "operator" then
      line = line + newlines(source, at, last)
    end
    at = last + 1
  end
  tokens[#tokens + 1] = { kind = "end", text = "", line = line, column = 1,
                          braces = 0 }
  return tokens, silent
end

return lexer
