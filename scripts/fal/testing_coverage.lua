--- Which lines of a policy can run, and which did.
---
---   text --> bytecode (host.dump) --> lines of every function in it, also
---                                     of those that never ran
---
--- The format is that of Lua 5.4's lundump.c. Left out: what a function does
--- before its first and after its last statement, and lines that only close
--- or divide blocks.
local text = require "fal.text"

local coverage = {}

local HEADER <const> = "c4BBc6BBBi8d"
local SIGNATURE <const> = "\27Lua"
local VERSION <const>, FORMAT <const> = 0x54, 0
local ABSOLUTE <const> = -128           -- the line stands in another table
local FLOAT <const>, INTEGER <const> = 19, 3
local SHORT <const>, LONG <const> = 4, 20
local SOURCE_MOST <const> = 4 << 20

--- ---- bytecode --------------------------------------------------------------

--- A number of 7 bits a byte, the high ones first; the last has bit 8.
local function number(dump)
  local value = 0
  while true do
    local byte = dump.code:byte(dump.at)
    dump.at = dump.at + 1
    value = value << 7 | byte & 0x7f
    if byte & 0x80 ~= 0 then
      return value
    end
  end
end

local function skip_text(dump)
  local size = number(dump)
  dump.at = dump.at + (size > 0 and size - 1 or 0)
end

local function skip_items(dump, size)
  local count = number(dump)
  dump.at = dump.at + count * size
end

local function skip_constants(dump)
  for _ = 1, number(dump) do
    local kind = dump.code:byte(dump.at)
    dump.at = dump.at + 1
    if kind == FLOAT or kind == INTEGER then
      dump.at = dump.at + 8
    elseif kind == SHORT or kind == LONG then
      skip_text(dump)
    end
  end
end

local function absolute_lines(dump)
  local lines = {}
  for _ = 1, number(dump) do
    local place = number(dump)
    lines[place] = number(dump)
  end
  return lines
end

local function skip_names(dump)
  for _ = 1, number(dump) do              -- local variables
    skip_text(dump)
    number(dump)
    number(dump)
  end
  for _ = 1, number(dump) do              -- upvalues
    skip_text(dump)
  end
end

--- Adds the lines of the function at dump.at, and of those inside it.
local function add_function(dump, lines)
  skip_text(dump)
  local line = number(dump)
  number(dump)                            -- the last line
  local vararg = dump.code:byte(dump.at + 1) ~= 0
  dump.at = dump.at + 3
  skip_items(dump, 4)                     -- instructions
  skip_constants(dump)
  skip_items(dump, 3)                     -- upvalues
  for _ = 1, number(dump) do
    add_function(dump, lines)
  end
  local count = number(dump)
  local deltas = dump.at
  dump.at = dump.at + count
  local absolute = absolute_lines(dump)
  for place = 0, count - 2 do             -- the last one only returns
    local delta = string.unpack("b", dump.code, deltas + place)
    line = delta == ABSOLUTE and absolute[place] or line + delta
    if place > 0 or not vararg then       -- the first one takes arguments
      lines[line] = true
    end
  end
  skip_names(dump)
end

local function lines_of(code)
  local signature, version, format, _, size, _, _, _, _, at =
    string.unpack(HEADER, code)
  assert(signature == SIGNATURE and version == VERSION and format == FORMAT
         and size == 4, "the bytecode is of another Lua")
  local lines = {}
  add_function({ code = code, at = at + 1 }, lines)
  return lines
end

--- ---- source ----------------------------------------------------------------

local DIVIDES <const> = { ["end"] = true, ["else"] = true, ["do"] = true,
                          ["then"] = true, ["repeat"] = true }

--- Whether the line only closes or divides blocks.
local function only_divides(line)
  for word in line:gsub("%-%-.*$", ""):gmatch("[^%s(){}%[%],;]+") do
    if not DIVIDES[word] then
      return false
    end
  end
  return true
end

--- The executable lines, in order.
function coverage.lines(host, source)
  local found, list, at = lines_of(host.dump(source)), {}, 0
  for line in (source .. "\n"):gmatch("(.-)\r?\n") do
    at = at + 1
    if found[at] and not only_divides(line) then
      list[#list + 1] = at
    end
  end
  return list
end

--- ---- telling ---------------------------------------------------------------

--- {12, 15, 16, 17} -> "12, 15-17"
local function ranges(lines)
  local parts, i = {}, 1
  while i <= #lines do
    local first, last = lines[i], lines[i]
    while lines[i + 1] == last + 1 do
      i, last = i + 1, last + 1
    end
    parts[#parts + 1] = first == last and tostring(first)
      or ("%d-%d"):format(first, last)
    i = i + 1
  end
  return table.concat(parts, ", ")
end

--- {path, executable, executed, percent, missing} of one file; nil where it
--- cannot be read any more.
local function file_row(host, path, hits)
  local source = host.read_file(path, SOURCE_MOST)
  local ok, lines = pcall(coverage.lines, host, source or "(")
  if not ok then
    return nil
  end
  local row = { path = path, executable = #lines, executed = 0,
                missing = {} }
  for _, line in ipairs(lines) do
    if hits[line] then
      row.executed = row.executed + 1
    else
      row.missing[#row.missing + 1] = line
    end
  end
  row.percent = #lines == 0 and 100 or row.executed * 100 // #lines
  return row
end

--- A row for each file that ran, the tests aside, in the order of paths.
---@param hits table<string, table<integer, true>>
---@param tests table<string, boolean>
function coverage.rows(host, hits, tests)
  local rows = {}
  for path, lines in pairs(hits) do
    rows[#rows + 1] = not tests[path] and file_row(host, path, lines) or nil
  end
  table.sort(rows, function(a, b) return a.path < b.path end)
  return rows
end

--- One row as a line for people.
function coverage.line(row)
  return ("%s  %d%%%s"):format(text.clean(row.path), row.percent,
    row.missing[1] and "  missing " .. ranges(row.missing) or "")
end

return coverage
