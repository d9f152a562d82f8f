--- Puts requests into the order of time, oldest first, ties by their ids.
---
--- Lists come in the order of time, as a rule, the one way or the other. So
--- they are turned round where their ends say so, and then each row is moved
--- past the few that are wrong; only what is in no order is sorted in full,
--- at four times the cost of all else that is done with a row.
local order = {}

local MOVES <const> = 4         -- for each row, before it is sorted in full

local function reverse(list)
  local last = #list
  for at = 1, last // 2 do
    local other = last + 1 - at
    list[at], list[other] = list[other], list[at]
  end
end

local function sort(rows, ended)
  local by_row = {}
  for at, row in ipairs(rows) do
    by_row[row] = ended[at]
  end
  table.sort(rows, function(a, b)
    if by_row[a] ~= by_row[b] then
      return by_row[a] < by_row[b]
    end
    return a.request_id < b.request_id
  end)
  for at, row in ipairs(rows) do
    ended[at] = by_row[row]
  end
end

--- Moves rows[at] to its place among those before it; how far.
local function settle(rows, ended, at)
  local row, ms = rows[at], ended[at]
  local id, to = row.request_id, at
  while to > 1 and (ended[to - 1] > ms or ended[to - 1] == ms and
                    rows[to - 1].request_id > id) do
    rows[to], ended[to] = rows[to - 1], ended[to - 1]
    to = to - 1
  end
  rows[to], ended[to] = row, ms
  return at - to
end

--- Sorts `rows` in place, and with them their times in ms, place by place.
---@param rows fal.Request[]
---@param ended integer[]
function order.by_time(rows, ended)
  local count, moves = #rows, 0
  if count > 1 and ended[1] > ended[count] then
    reverse(rows)
    reverse(ended)
  end
  for at = 2, count do
    if ended[at - 1] >= ended[at] then
      moves = moves + settle(rows, ended, at)
      if moves > MOVES * count then
        sort(rows, ended)
        return
      end
    end
  end
end

return order
