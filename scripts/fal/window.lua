--- A span of time as windows that fit into memory.
---
---   |---------------- the span: more than 100 pages ----------------|
---   |---- more than 100 ----|-------------- fits -------------------|
---   |- fits -|---- fits ----|
---
--- A page's cursor is a number over a set that may move, so a window is read
--- whole before anything of it is handed out. Halving follows from the data
--- alone: the same history gives the same windows.
local core = require "core"
local pages = require "fal.pages"

local window = {}

local PAGES_MAX <const> = 100
local PAGES_OF_A_SECOND <const> = 1000
local SECOND <const> = 1000

--- Walks the windows of a span, oldest first. `read(from, to, most)` returns
--- the rows of a window, or nil when it has more than `most` pages. Times
--- are ms, whole seconds.
---@param span {from:integer, to:integer, path:string}
function window.walk(span, read)
  local left = { { span.from, span.to } }
  return function()
    while #left > 0 do
      local from, to = table.unpack(table.remove(left))
      local short = to - from <= SECOND
      local rows = read(from, to, short and PAGES_OF_A_SECOND or PAGES_MAX)
      if rows then
        return rows
      elseif short then
        pages.fail(span.path, "the second at %s has more than %d pages",
                   core.format_time(from), PAGES_OF_A_SECOND)
      end
      local middle = from + (to - from) // (2 * SECOND) * SECOND
      left[#left + 1] = { middle, to }
      left[#left + 1] = { from, middle }
    end
  end
end

return window
