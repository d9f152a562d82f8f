--- A bar for each day, for a terminal.
local text = require "fal.text"

local chart = {}

local WIDTH <const>, LEAST <const>, LABEL <const> = 60, 10, 26

local function bar(value, most, width)
  if value <= 0 or most <= 0 then
    return ""
  end
  return ("#"):rep(math.max(1, math.floor(value / most * width + 0.5)))
end

--- Lines "2026-01-01      1,234 ######". A row is {label, value, note?}.
---@param out {write:function, columns:integer}
---@param rows {[1]:string, [2]:integer, [3]:string?}[]
function chart.bars(out, rows)
  local columns = out.columns > 0 and out.columns or WIDTH + LABEL
  local width = math.max(LEAST, math.min(WIDTH, columns - LABEL))
  local most = 0
  for _, row in ipairs(rows) do
    most = math.max(most, row[2])
  end
  for _, row in ipairs(rows) do
    out.write(("%-12s %9s  %s%s\n"):format(row[1], text.number(row[2]),
      bar(row[2], most, width), row[3] and
      (row[2] > 0 and " " or "") .. text.clean(row[3]) or ""))
  end
end

return chart
