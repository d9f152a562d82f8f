--- Lua's tokens, for reading a policy without running it.
---
--- The text has passed Lua's own parser before: nothing is checked here.
local lexer = {}

local WORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in
    local nil not or repeat return then true until while]]):gmatch("%a+") do
  WORDS[word] = true
end

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
  local stop = source:byte(at) == 34 and '["\\]' or "['\\]"
  local last = source:find(stop, at + 1)
  while last and source:byte(last) == 92 do             -- a backslash
    last = source:find(stop, last + 2)
  end
  return last or #source
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

--- Bytes that can only begin an operator of two or three.
local LONGER <const> = { ["."] = "^%.%.%.?", ["="] = "^==", ["~"] = "^~=",
  ["<"] = "^<[<=]", [">"] = "^>[>=]", ["/"] = "^//", [":"] = "^::" }

--- How to read what begins with a byte: at -> kind, last. No kind: skip it.
local read = {}

local function blank(source, at)
  return nil, select(2, source:find("^%s*", at + 1))
end

local function word(source, at)
  local _, last = source:find("^[%w_]*", at + 1)
  return WORDS[source:sub(at, last)] and "word" or "name", last
end

local function number(source, at)
  return "number", number_end(source, at)
end

local function quoted(source, at)
  return "string", quote_end(source, at)
end

local function longer(source, at)
  local pattern = LONGER[source:sub(at, at)]
  local _, last = source:find(pattern, at)
  return "operator", last or at
end

for byte = 0, 255 do
  local char = string.char(byte)
  read[byte] = char:find "%s" and blank or char:find "[%a_]" and word
    or char:find "%d" and number or char:find "['\"]" and quoted
    or LONGER[char] and longer or nil
end

read[("-"):byte()] = function(source, at)
  if source:byte(at + 1) == ("-"):byte() then
    return nil, comment_end(source, at)
  end
  return "operator", at
end

read[("["):byte()] = function(source, at)
  local last = long_end(source, at)
  return last and "string" or "operator", last or at
end

read[("."):byte()] = function(source, at)
  return (source:find("^%.%d", at) and number or longer)(source, at)
end

--- How many lines end in a part of the text, and where the last one does.
local function newlines(source, from, to)
  local part, count, last = source:sub(from, to), 0, nil
  local at = part ~= " " and part:find("\n", 1, true)
  while at do
    count, last = count + 1, from + at - 1
    at = part:find("\n", at + 1, true)
  end
  return count, last
end

--- A comment that silences the findings of its line.
local function silences(source, at, last)
  return source:find("^%-%-+%s*falrun:%s*ignore%f[^%w_-]", at) ~= nil and
    not source:sub(at, last):find("\n", 1, true)
end

--- All tokens. The text of a string is empty, and `raw` is as it was written.
--- The second value has the lines that a comment silences.
---@param source string
---@return {kind:string, text:string, line:integer, column:integer}[]
---@return table<integer, boolean>
function lexer.tokens(source)
  source = source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", "")
  local tokens, silent, at, line, before = {}, {}, 1, 1, 0
  while at <= #source do
    local how, kind, last = read[source:byte(at)], "operator", at
    if how then
      kind, last = how(source, at)
    end
    if kind then
      local token = { kind = kind, line = line, column = at - before,
                      text = kind == "string" and "" or source:sub(at, last) }
      if kind == "string" then
        token.raw = source:sub(at, last)
      end
      tokens[#tokens + 1] = token
    elseif silences(source, at, last) then
      silent[line] = true
    end
    if not kind or kind == "string" then
      local count, newline = newlines(source, at, last)
      line, before = line + count, newline or before
    end
    at = last + 1
  end
  tokens[#tokens + 1] = { kind = "end", text = "", line = line, column = 1 }
  return tokens, silent
end

return lexer
