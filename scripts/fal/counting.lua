--- What the counting entries of a keep rule remember while candidates come.
---
--- A counter holds, for each group, what it would keep so far. Candidates may
--- come in any order: an item may be forgotten once n newer ones (or newer
--- periods) are there, because those only grow newer, so it can never come
--- back. Memory follows what is kept, not what is listed.
---
--- Of two items that ended in the same ms, the greater request id is newer.
---
---   counter:add(group, ended_ms, id, index)
---   counter:kept() -> { [index] = why }
local counting = {}

local function newer(ended, id, than_ended, than_id)
  return ended > than_ended or ended == than_ended and id > than_id
end

-- ---- last n: a heap, oldest first, of ended, id, index -----------------

local function put(heap, k, ended, id, index)
  heap[3 * k - 2], heap[3 * k - 1], heap[3 * k] = ended, id, index
end

local function append(heap, k, ended, id, index)
  while k > 1 do
    local p = 3 * (k // 2) - 2
    if not newer(heap[p], heap[p + 1], ended, id) then
      break
    end
    put(heap, k, heap[p], heap[p + 1], heap[p + 2])
    k = k // 2
  end
  put(heap, k, ended, id, index)
end

local function replace_oldest(heap, size, ended, id, index)
  local k = 1
  while 2 * k <= size do
    local child = 2 * k
    local c = 3 * child - 2
    if child < size and newer(heap[c], heap[c + 1], heap[c + 3],
                              heap[c + 4]) then
      child, c = child + 1, c + 3
    end
    if not newer(ended, id, heap[c], heap[c + 1]) then
      break
    end
    put(heap, k, heap[c], heap[c + 1], heap[c + 2])
    k = child
  end
  put(heap, k, ended, id, index)
end

local last = {}
last.__index = last

function last:add(group, ended, id, index)
  local heap = self.groups[group]
  if not heap then
    heap = {}
    self.groups[group] = heap
  end
  local size = #heap // 3
  if size < self.n then
    append(heap, size + 1, ended, id, index)
  elseif newer(ended, id, heap[1], heap[2]) then
    replace_oldest(heap, size, ended, id, index)
  end
end

function last:kept()
  local why = {}
  for group, heap in pairs(self.groups) do
    local words = self.words .. self.of(group)
    for place = 3, #heap, 3 do
      why[heap[place]] = words
    end
  end
  return why
end

-- ---- hourly to yearly: the newest item of each of n periods ------------

local periodic = {}
periodic.__index = periodic

-- An entry is { period, ended, id, index }: there may be very many.
local PERIOD <const>, ENDED <const>, ID <const>, INDEX <const> = 1, 2, 3, 4

local function entry_newer(a, b)
  return newer(a[ENDED], a[ID], b[ENDED], b[ID])
end

--- Leaves the n newest periods. Done once for every n that come, so that a
--- list in any order costs little; what is older than the last of them then
--- is never looked at again.
local function prune(state, n)
  local list = {}
  for _, entry in pairs(state.entries) do
    list[#list + 1] = entry
  end
  table.sort(list, entry_newer)
  state.count, state.entries = math.min(#list, n), {}
  for i = 1, state.count do
    state.entries[list[i][PERIOD]] = list[i]
  end
  if state.count == n then
    state.floor, state.floor_id = list[n][ENDED], list[n][ID]
  end
end

function periodic:add(group, ended, id, index)
  local state = self.groups[group]
  if not state then
    state = { count = 0, entries = {} }
    self.groups[group] = state
  elseif state.floor and not newer(ended, id, state.floor, state.floor_id)
  then
    return
  end
  local period = self.period(self.clock(ended))
  local entry = state.entries[period]
  if not entry then
    state.entries[period] = { period, ended, id, index }
    state.count = state.count + 1
    if state.count >= 2 * self.n then
      prune(state, self.n)
    end
  elseif newer(ended, id, entry[ENDED], entry[ID]) then
    entry[ENDED], entry[ID], entry[INDEX] = ended, id, index
  end
end

function periodic:kept()
  local why = {}
  for group, state in pairs(self.groups) do
    local of = self.of(group)
    prune(state, self.n)
    for _, entry in pairs(state.entries) do
      why[entry[INDEX]] = ("%s (%s)%s"):format(self.words,
        self.name(self.clock(entry[ENDED])), of)
    end
  end
  return why
end

-- ---- making ------------------------------------------------------------

---@param entry table      of keep.parts: { n, words }
---@param of function      from a group to " of fal-ai/flux/dev" or ""
function counting.last(entry, of)
  return setmetatable({ n = entry.n, words = entry.words, of = of,
                        groups = {} }, last)
end

---@param clock function   from ms since 1970 to local time
---@param period function  from local time to the number of its period
---@param name function    from local time to the name of its period
function counting.periodic(entry, of, clock, period, name)
  return setmetatable({ n = entry.n, words = entry.words, of = of,
                        groups = {}, clock = clock, period = period,
                        name = name }, periodic)
end

return counting
