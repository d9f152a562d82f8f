--- Evaluates a keep rule over the candidates of one plan.
---
---   add(1, ...) add(2, ...) ...  each entry remembers, for each group, only
---                                what it would keep so far
---   finish(now)                  the sets of all entries, joined by any, all
---
--- Entries that count forget on the way what can no longer be kept
--- (counting.lua); `within` needs the time of every item, as now comes last.
local check = require "fal.check"
local counting = require "fal.counting"
local keep = require "fal.keep"
local periods = require "fal.periods"
local text = require "fal.text"

local keeping = {}
keeping.__index = keeping

local NONE <const> = {}         -- the group of items without a value
local UNKNOWN <const> = "when it ended is not known, so no rule can let it go"
local LONGEST <const> = 100

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
  self.asks = self.asks or type(by) == "function"
  return #self.bys
end

--- The counter of an entry; `place` says which groups are its own.
local function counter(self, entry, node)
  local of = namer(node.by)
  local made
  if entry.kind == "last" then
    made = counting.last(entry, of)
  else
    self.clocks[node.zone] = self.clocks[node.zone] or
      periods.zone(node.zone)
    made = counting.periodic(entry, of, self.clocks[node.zone],
      periods.of[entry.kind], periods.name[entry.kind])
  end
  made.place = node.by and place_of(self, node.func, node.by)
  self.counters[#self.counters + 1] = made
  return made
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
      node.children[i] = counter(self, entry, node)
    end
  end
  return node
end

--- A fresh evaluation of a rule, for one plan.
function keeping.new(rule)
  local self = setmetatable({ bys = {}, groups = {}, clocks = {},
                              counters = {}, unknown = {} }, keeping)
  self.root = build(self, keep.parts(rule), { zone = "UTC" })
  return self
end

local function group_of(known, request)
  local by = known.by
  local group
  if type(by) == "string" then
    group = rawget(request, by)
  else
    group = by(request)
  end
  local kind = type(group)
  if group == nil or kind == "string" or kind == "boolean" or
    kind == "number" and group == group then
    return group
  end
  check.fail(known.func, "by", "%s %s for request %s; text, a number, true, "
             .. "false or nil make a group", type(by) == "string" and by
             .. " is" or "the function returned", kind == "number" and
             "no number (nan)" or "a " .. kind,
             check.show(rawget(request, "request_id")))
end

--- One candidate. `by` functions are asked now and may wait; until they are
--- done nothing is changed, so that several tasks may add. What has no end in
--- time is kept.
---@param index integer      its place among the candidates
---@param ended_ms integer?
function keeping:add(index, request, ended_ms)
  if not ended_ms then
    self.unknown[index] = true
    return
  end
  local id = rawget(request, "request_id")
  id = type(id) == "string" and id or ""        -- a rule may have changed it
  local groups = self.asks and {} or self.groups
  for place, known in ipairs(self.bys) do
    groups[place] = group_of(known, request)
  end
  if self.ended then
    self.ended[index] = ended_ms
  end
  for _, each in ipairs(self.counters) do
    local group = each.place and groups[each.place]
    if group == nil then
      group = NONE
    end
    each:add(group, ended_ms, id, index)
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
