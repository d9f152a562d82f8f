--- Evaluates a keep rule over the candidates of one plan.
---
---   add(1, ...) add(2, ...) ...  each entry remembers, for each group, only
---                                what it would keep so far
---   finish(now)                  the sets of all entries, joined by any, all
---
--- Candidates may come in any order. An entry that counts n may forget an
--- item once n newer ones (or newer periods) are there: it can never come
--- back, because those only grow newer. So memory follows what is kept, not
--- what is listed; only `within` needs the time of every item, as now comes
--- last.
---
--- Of two items that ended in the same ms, the greater request id is newer.
local check = require "fal.check"
local keep = require "fal.keep"
local periods = require "fal.periods"
local text = require "fal.text"

local keeping = {}
keeping.__index = keeping

local NONE <const> = {}         -- the group of items without a value
local UNKNOWN <const> = "when it ended is not known, so no rule can let it go"
local LONGEST <const> = 100

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

function last.add(leaf, group, ended, id, index)
  local heap = leaf.groups[group]
  if not heap then
    heap = {}
    leaf.groups[group] = heap
  end
  local size = #heap // 3
  if size < leaf.n then
    append(heap, size + 1, ended, id, index)
  elseif newer(ended, id, heap[1], heap[2]) then
    replace_oldest(heap, size, ended, id, index)
  end
end

function last.kept(leaf)
  local why = {}
  for group, heap in pairs(leaf.groups) do
    local words = leaf.words .. leaf.of(group)
    for place = 3, #heap, 3 do
      why[heap[place]] = words
    end
  end
  return why
end

-- ---- hourly to yearly: the newest item of each of n periods ------------

local periodic = {}

local function entry_newer(a, b)
  return newer(a.ended, a.id, b.ended, b.id)
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
    state.entries[list[i].period] = list[i]
  end
  if state.count == n then
    state.floor_ended, state.floor_id = list[n].ended, list[n].id
  end
end

function periodic.add(leaf, group, ended, id, index)
  local state = leaf.groups[group]
  if not state then
    state = { count = 0, entries = {}, floor_ended = math.mininteger,
              floor_id = "" }
    leaf.groups[group] = state
  end
  if not newer(ended, id, state.floor_ended, state.floor_id) then
    return
  end
  local period = leaf.period(leaf.clock(ended))
  local entry = state.entries[period]
  if not entry then
    state.entries[period] = { period = period, ended = ended, id = id,
                              index = index }
    state.count = state.count + 1
    if state.count >= 2 * leaf.n then
      prune(state, leaf.n)
    end
  elseif newer(ended, id, entry.ended, entry.id) then
    entry.ended, entry.id, entry.index = ended, id, index
  end
end

function periodic.kept(leaf)
  local why = {}
  for group, state in pairs(leaf.groups) do
    local of = leaf.of(group)
    prune(state, leaf.n)
    for _, entry in pairs(state.entries) do
      why[entry.index] = ("%s (%s)%s"):format(leaf.words,
        leaf.name(leaf.clock(entry.ended)), of)
    end
  end
  return why
end

-- ---- within ------------------------------------------------------------

local within = {}

function within.kept(leaf, now_ms, ended)
  local why, since = {}, now_ms - leaf.ms
  for index, at in pairs(ended) do
    if at >= since then
      why[index] = leaf.words
    end
  end
  return why
end

-- ---- the rule ----------------------------------------------------------

--- " of fal-ai/flux/dev", or nothing where there are no groups.
local function namer(by)
  return function(group)
    if not by then
      return ""
    elseif group == NONE then
      return type(by) == "string" and " of those without " .. by
        or " of those without a group"
    end
    local words = text.clean(group)
    return " of " .. (#words > LONGEST and check.show(words) or words)
  end
end

--- The place of `by` among those of the rule; the same is asked once.
local function place_of(self, func, by)
  for place, known in ipairs(self.bys) do
    if known.by == by then
      return place
    end
  end
  self.bys[#self.bys + 1] = { by = by, func = func }
  return #self.bys
end

local function counting(self, entry, node)
  local leaf = {
    n = entry.n, words = entry.words, of = namer(node.by), groups = {},
    place = node.by and place_of(self, node.func, node.by),
  }
  local methods = entry.kind == "last" and last or periodic
  leaf.add, leaf.kept = methods.add, methods.kept
  if methods == periodic then
    self.clocks[node.zone] = self.clocks[node.zone] or
      periods.zone(node.zone)
    leaf.clock = self.clocks[node.zone]
    leaf.period, leaf.name = periods.of[entry.kind], periods.name[entry.kind]
  end
  self.leaves[#self.leaves + 1] = leaf
  return leaf
end

local function build(self, parts, outer)
  local node = { mode = parts.mode, children = {},
                 by = parts.by or outer.by, func = parts.by and parts.func
                 or outer.func, zone = parts.zone or outer.zone }
  for i, entry in ipairs(parts.entries) do
    if entry.mode then
      node.children[i] = build(self, entry, node)
    elseif entry.kind == "within" then
      self.ended = self.ended or {}
      node.children[i] = { ms = entry.ms, words = entry.words,
                           kept = within.kept }
    else
      node.children[i] = counting(self, entry, node)
    end
  end
  return node
end

--- A fresh evaluation of a rule, for one plan.
function keeping.new(rule)
  local self = setmetatable({ bys = {}, clocks = {}, leaves = {},
                              unknown = {} }, keeping)
  self.root = build(self, keep.parts(rule), { zone = "UTC" })
  return self
end

local function group_of(known, request)
  local by = known.by
  if type(by) == "string" then
    return rawget(request, by)
  end
  local group = by(request)
  local kind = type(group)
  if group == nil or kind == "string" or kind == "boolean" or
    kind == "number" and group == group then
    return group
  end
  check.fail(known.func, "by", "the function returned %s for request %s; it "
             .. "returns text, a number, true, false or nil",
             kind == "number" and "no number (nan)" or "a " .. kind,
             check.show(rawget(request, "request_id")))
end

--- One candidate. `by` functions are asked now and may wait; until they are
--- done nothing is changed. What has no end in time is kept.
---@param index integer      its place among the candidates
---@param ended_ms integer?
function keeping:add(index, request, ended_ms)
  if not ended_ms then
    self.unknown[index] = true
    return
  end
  local id, groups = rawget(request, "request_id"), {}
  for place, known in ipairs(self.bys) do
    groups[place] = group_of(known, request)
  end
  if self.ended then
    self.ended[index] = ended_ms
  end
  for _, leaf in ipairs(self.leaves) do
    local group = leaf.place and groups[leaf.place]
    if group == nil then
      group = NONE
    end
    leaf:add(group, ended_ms, id, index)
  end
end

local function join_any(why, other)
  for index, words in pairs(other) do
    why[index] = why[index] and why[index] .. "; " .. words or words
  end
end

local function join_all(why, other)
  for index, words in pairs(why) do
    why[index] = other[index] and words .. " and " .. other[index]
  end
end

--- Several reasons, one of which is enough, are one part of an `all`.
local function bracket(why)
  for index, words in pairs(why) do
    if words:find("; ", 1, true) then
      why[index] = "(" .. words .. ")"
    end
  end
end

local function evaluate(node, now_ms, ended)
  if not node.mode then
    return node:kept(now_ms, ended)
  end
  local why
  for _, child in ipairs(node.children) do
    local kept = evaluate(child, now_ms, ended)
    if node.mode == "all" and child.mode == "any" then
      bracket(kept)
    end
    if not why then
      why = kept
    else
      (node.mode == "any" and join_any or join_all)(why, kept)
    end
  end
  return why
end

--- Why each kept candidate is kept, by its place; once, at the end.
---@return table<integer, string>
function keeping:finish(now_ms)
  local why = evaluate(self.root, now_ms, self.ended)
  for index in pairs(self.unknown) do
    why[index] = UNKNOWN
  end
  return why
end

return keeping
