--- CSV, as RFC 4180 has it: fields in quotes may hold commas, line breaks and
--- quotes written twice. The first line names the columns.
---
---   text --field, field, ... end of line--> record --header--> row
---
--- Whatever is not CSV is an error with its line, and no row of it is
--- returned. CSV does not say where it ends: a text that was cut between two
--- rows, or in the last field, cannot be told from a whole one. Lines end with
--- CRLF, LF or CR; a byte order mark is skipped; an empty line is no row,
--- unless there is but one column.
local core = require "core"

local csv = {}

local COLUMNS_MOST <const> = 1000
local SHOWN <const> = 40                -- bytes of a name in a message

local function lines_in(s)
  local _, breaks = s:gsub("\r\n?", "\n"):gsub("\n", "")
  return breaks
end

local function fail(line, format, ...)
  error({ why = ("line %d: %s"):format(line, format:format(...)) }, 0)
end

--- The field in quotes that begins at `at`, and where it ends.
local function quoted(state, at)
  local from, s = at + 1, state.text
  local close = s:find('"', from, true)
  while close and s:sub(close + 1, close + 1) == '"' do
    close = s:find('"', close + 2, true)
  end
  if not close then
    fail(state.line, "a quote opens here and never closes")
  end
  local value = s:sub(from, close - 1)
  if close + 1 <= #s and not s:find("^[,\r\n]", close + 1) then
    fail(state.line + lines_in(value), "after a closing quote only a comma "
      .. "or the end of the line may come")
  end
  state.line = state.line + lines_in(value)
  return value:gsub('""', '"'), close + 1
end

local function plain(state, at)
  local stop = state.text:find('[,\r\n"]', at) or #state.text + 1
  if state.text:sub(stop, stop) == '"' then
    fail(state.line, "a quote in a field that does not begin with one")
  end
  return state.text:sub(at, stop - 1), stop
end

--- The next record: its fields and its line, or nil at the end.
local function record(state)
  local s, at, line = state.text, state.at, state.line
  if at > #s then
    return nil
  end
  local fields, more = {}, true
  while more do
    local field = s:byte(at) == 0x22 and quoted or plain
    fields[#fields + 1], at = field(state, at)
    if #fields > COLUMNS_MOST then
      fail(line, "more than %d columns", COLUMNS_MOST)
    end
    more = s:sub(at, at) == ","
    at = more and at + 1 or at
  end
  local _, stop = s:find("^\r?\n?", at)
  state.blank = #fields == 1 and at == state.at
  state.at, state.line = stop + 1, state.line + 1
  return fields, line
end

local function header(state)
  local names, line = record(state)
  if not names or state.blank then
    fail(1, "the names of the columns are missing")
  end
  local seen = {}
  for i, name in ipairs(names) do
    if name == "" then
      fail(line, "column %d has no name", i)
    elseif seen[name] then
      fail(line, "two columns are named '%s'", name:sub(1, SHOWN))
    end
    seen[name] = true
  end
  return names
end

local function row(names, fields, line)
  if #fields ~= #names then
    fail(line, "%d fields, but there are %d columns", #fields, #names)
  end
  local values = {}
  for i, name in ipairs(names) do
    values[name] = fields[i]
  end
  return values
end

local function read(text)
  local _, mark = text:find "^\xef\xbb\xbf"
  local state = { text = text, at = (mark or 0) + 1, line = 1 }
  local names, rows = header(state), {}
  for fields, line in record, state do
    if not (state.blank and #names > 1) then
      rows[#rows + 1] = row(names, fields, line)
    end
  end
  return core.json.array(rows), core.json.array(names)
end

--- The rows of a CSV text, each a table of strings by the names of the
--- columns; and these names, in order. Or nil and a sentence that says what
--- is wrong, and on which line.
---@param text string
---@return table[]?, string[]|string
function csv.rows(text)
  local ok, rows, names = pcall(read, text)
  if ok then
    return rows, names
  elseif type(rows) == "table" then
    return nil, rows.why
  end
  error(rows, 0)
end

return csv
