--- Request ids from the words of a command and from standard input.
---
--- All are checked before the first is used: one wrong id, and nothing is
--- done.
local core = require "core"

local intake = {}

local function quote(word)
  local shown = word:sub(1, 60):gsub("[^\x20-\x7e]", "?")
  return ('"%s"%s'):format(shown, #word > 60 and "..." or "")
end

local function refuse(host, place, word)
  local why = "is not a request id"
  if core.parse_id(word:lower()) then
    why = "is in upper case; request ids are written in lower case"
  end
  host.usage(("%s: %s %s; nothing was done"):format(place, quote(word), why))
end

--- The lines of standard input that do not go to the list by themselves, and
--- their numbers; one that is too long is wrong input, not a failure of the
--- program.
local function lines(host, list)
  local next_line = host.lines()
  return function()
    local ok, line, number = pcall(next_line, list)
    if ok then
      return line, number
    elseif type(line) ~= "table" or line.code ~= "too_big" then
      error(line, 0)
    end
    host.usage(("standard input, line %d is longer than 64 KiB; nothing was "
                .. "done"):format(line.line))
  end
end

local function add_lines(host, list)
  if host.stdin_tty and not host.options["no-input"] then
    core.log.info("reading request ids, one a line; Ctrl-D ends")
  end
  for line, number in lines(host, list) do
    local word = line:gsub("#.*$", ""):match("^%s*(.-)%s*$")
    if word ~= "" and not list:add(word) then
      refuse(host, ("standard input, line %d"):format(number), word)
    end
  end
end

--- A list (core.id_list) of all ids; `-` among the words stands for standard
--- input, where blank lines and what follows a # are skipped.
---@param host table
---@param words string[]
---@param first integer   place of the first id among the words
function intake.ids(host, words, first)
  local list, read = core.id_list(), false
  for at = first, #words do
    local word = words[at]
    if word == "-" and not read then
      read = true
      add_lines(host, list)
    elseif word ~= "-" and not list:add(word) then
      refuse(host, ("argument %d"):format(at), word)
    end
  end
  return list
end

return intake
