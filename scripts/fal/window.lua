--- A span of time as windows that fit into memory.
---
---   |---------------- the span: more than 100 pages ----------------|
---   |------------ more than 100 -----------|------- fits -----------|
---   |-------- fits -------|----- fits -----|
---
--- A page's cursor is a number over a set that may move, so a window is read
--- whole before anything of it is handed out. Its first pages tell how dense
--- it is: one that will not fit is not read to its hundredth page, but cut
--- where the part that they began should fit. Where they do not tell, it is
--- read until it has too many, and halved. Either follows from the data
--- alone: the same history gives the same windows.
local core = require "core"
local pages = require "fal.pages"

local window = {}

local PAGES_MAX <const> = 100
local PAGES_OF_A_SECOND <const> = 1000
local SECOND <const> = 1000
local PROBED <const> = 4        -- pages that tell how dense a window is
local SURELY <const> = 110      -- pages expected, for a cut before page 100
local GOAL <const> = 80         -- pages that a part is cut to have
local PART_LEAST <const> = 1024 -- of a window

--- Where to cut a window of which `count` pages are read, in ms; nil: it may
--- fit. `reach` says when its rows ended: the first, the last of so far, the
--- oldest and the newest.
---@param reach {first:integer, last:integer, oldest:integer, newest:integer}
function window.cut(from, to, count, reach)
  local newest_first = reach.first > reach.last
  local covered = newest_first and to - reach.oldest or reach.newest - from
  if count < PROBED or reach.first == reach.last or covered <= 0 or
    count * (to - from) <= SURELY * covered then
    return nil
  end
  local width = math.max(GOAL * covered // count, (to - from) // PART_LEAST)
  width = (width // SECOND + 1) * SECOND
  if width >= to - from then
    return nil
  end
  return newest_first and to - width or from + width
end

--- Walks the windows of a span, oldest first. `read(from, to, most)` returns
--- what is in a window; or nil when it has, or will have, more than `most`
--- pages, and where to cut it, if it knows. Times are ms, whole seconds.
---@param span {from:integer, to:integer, path:string}
function window.walk(span, read)
  local left = { { span.from, span.to } }
  return function()
    while #left > 0 do
      local from, to = table.unpack(table.remove(left))
      local short = to - from <= SECOND
      local found, cut = read(from, to,
                              short and PAGES_OF_A_SECOND or PAGES_MAX)
      if found then
        return found
      elseif short then
        pages.fail(span.path, "the second at %s has more than %d pages",
                   core.format_time(from), PAGES_OF_A_SECOND)
      end
      cut = cut or from + (to - from) // (2 * SECOND) * SECOND
      left[#left + 1] = { cut, to }
      left[#left + 1] = { from, cut }
    end
  end
end

return window
