--- Text for people: tables, numbers, and nothing that drives a terminal.
local text = {}

local GAP <const> = "  "

--- Patterns of control characters beyond ASCII and of invisible marks.
text.MARKS = { "\xc2[\x80-\x9f]", "\xe2\x80[\x8b-\x8f\xa8-\xae]",
               "\xe2\x81[\xa0-\xaf]" }

--- Replaces what could move a cursor or hide: control characters, bytes that
--- are not UTF-8, and marks that turn the direction of writing.
function text.clean(value)
  local s = tostring(value)
  if not s:find("[^\x20-\x7e]") then    -- as almost all that is shown
    return s
  elseif not utf8.len(s) then
    s = s:gsub("[\x80-\xff]", "?")
  end
  s = s:gsub("[\0-\x1f\x7f]", "?")
  for _, pattern in ipairs(text.MARKS) do
    s = s:gsub(pattern, "?")
  end
  return s
end

--- How many columns the text takes, one for each character.
function text.width(s)
  return utf8.len(s) or #s
end

--- 1234567 -> "1,234,567".
function text.number(n)
  local s = ("%d"):format(n)
  local sign, digits = s:match("^(%-?)(%d+)$")
  digits = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return sign .. digits:gsub("^,", "")
end

--- "1 request", "1,234 requests".
function text.count(n, one, many)
  return ("%s %s"):format(text.number(n), n == 1 and one or many)
end

--- Seconds as "0.3 s", "12 s", "3 min 20 s", "2 h 5 min".
function text.seconds(s)
  if s < 10 then
    return ("%.1f s"):format(s)
  elseif s < 60 then
    return ("%d s"):format(s // 1)
  elseif s < 3600 then
    return ("%d min %d s"):format(s // 60, s % 60 // 1)
  end
  return ("%d h %d min"):format(s // 3600, s % 3600 // 60)
end

--- An age in seconds as "31d", "5h", "12m" or "3s".
function text.age(s)
  for _, unit in ipairs { { 86400, "d" }, { 3600, "h" }, { 60, "m" } } do
    if s >= unit[1] then
      return ("%s%s"):format(text.number(s // unit[1]), unit[2])
    end
  end
  return ("%ds"):format(s // 1)
end

--- At most so many characters, with dots for what is cut off.
function text.cut(s, width)
  if text.width(s) <= width then
    return s
  end
  local last = utf8.offset(s, math.max(width - 3, 1)) or 1
  return s:sub(1, last - 1) .. "..."
end

--- One line of cells. Right-aligned where `columns[i].right`; the last cell
--- is not padded.
function text.row(columns, widths, cells)
  local parts = {}
  for i, column in ipairs(columns) do
    local cell = text.clean(cells[i] == nil and "" or cells[i])
    if column.shrink then
      cell = text.cut(cell, widths[i])
    end
    local pad = (" "):rep(widths[i] - text.width(cell))
    parts[i] = column.right and pad .. cell or cell .. pad
  end
  return (table.concat(parts, GAP):gsub("%s+$", ""))
end

--- The widths that hold all rows. On a terminal of `most` columns, those
--- that may `shrink` give way; ids never do.
function text.widths(columns, rows, most)
  local widths, sum = {}, (#columns - 1) * #GAP
  for i, column in ipairs(columns) do
    widths[i] = text.width(column.title)
    for _, row in ipairs(rows) do
      local cell = text.clean(row[i] == nil and "" or row[i])
      widths[i] = math.max(widths[i], text.width(cell))
    end
    sum = sum + widths[i]
  end
  for i = #columns, 1, -1 do
    if most > 0 and sum > most and columns[i].shrink then
      local least = math.max(text.width(columns[i].title), 8)
      local width = math.max(widths[i] - (sum - most), least)
      sum, widths[i] = sum - widths[i] + width, width
    end
  end
  return widths
end

--- The line of titles, bold where colour is taken.
function text.head(columns, widths, color)
  local titles = {}
  for i, column in ipairs(columns) do
    titles[i] = column.title
  end
  local line = text.row(columns, widths, titles)
  return color and "\27[1m" .. line .. "\27[0m" or line
end

--- Columns and rows without the columns that are empty in every row.
local function without_empty(columns, rows)
  local used, places = {}, {}
  for i, column in ipairs(columns) do
    local filled = column.always
    for _, row in ipairs(rows) do
      filled = filled or (row[i] ~= nil and row[i] ~= "")
    end
    if filled then
      used[#used + 1], places[#places + 1] = column, i
    end
  end
  return used, places
end

--- Writes a table of rows that fit into memory. `out` has write(text),
--- columns and color, as host has. Columns without any text are left out.
---@param columns {title:string, right:boolean?, shrink:boolean?}[]
function text.table(out, columns, rows)
  local used, places = without_empty(columns, rows)
  local picked = {}
  for r, row in ipairs(rows) do
    picked[r] = {}
    for i, place in ipairs(places) do
      picked[r][i] = row[place]
    end
  end
  local widths = text.widths(used, picked, out.columns)
  out.write(text.head(used, widths, out.color) .. "\n")
  for _, row in ipairs(picked) do
    out.write(text.row(used, widths, row) .. "\n")
  end
end

--- Writes rows one by one, whose number is not known: widths are given in
--- the columns, and a longer cell is not cut, but for a last one that may
--- shrink to what a terminal has left.
function text.stream(out, columns)
  local widths = {}
  local before = 0
  for i, column in ipairs(columns) do
    widths[i] = math.max(column.width or 0, text.width(column.title))
    before = before + (columns[i + 1] and widths[i] + #GAP or 0)
  end
  local last = columns[#columns]
  if last.shrink and out.columns > 0 then
    widths[#columns] = math.max(widths[#columns], out.columns - before)
  elseif last.shrink then
    columns = table.move(columns, 1, #columns - 1, 1, {})
    columns[#widths] = { title = last.title }
  end
  local begun = false
  return function(...)
    if not begun then
      out.write(text.head(columns, widths, out.color) .. "\n")
      begun = true
    end
    out.write(text.row(columns, widths, { ... }) .. "\n")
  end
end

return text
