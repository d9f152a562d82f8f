--- The plan of one policy: every candidate and what becomes of it.
---
---   index        1         2         3         ...
---   ids          "019e.."  "019e.."  "019e.."       one list for each fact,
---   ended        ms        ms        false          so that a million
---   endpoints    "a/b"     "a/b"     nil            candidates fit into
---   fates        nil       "kept"    "held"         memory
---
--- A candidate is a row that the selection has, that `where` says yes to,
--- and that the ledger does not have as deleted. Its fate is nil (it will be
--- deleted), "kept", "held", "open" (announced by an earlier run and not
--- settled) or "quarantine" (hidden now, deleted by a later run).
local core = require "core"

local plan = {}
plan.__index = plan

---@param made table   the declaration (policy.lua)
---@param notes table<string, string>?   where to say why an id is no
---  candidate; nil: nobody asks
function plan.new(made, notes)
  return setmetatable({
    policy = made, notes = notes, ids = {}, ended = {}, endpoints = {},
    statuses = {}, reasons = {}, rows = {}, fates = {}, words = {},
    size = 0, scanned = 0, already = 0, passed_over = 0,
    taken = 0,
    counts = { kept = 0, held = 0, open = 0, quarantine = 0 },
    kept_by = {}, too_young = {},
  }, plan)
end

--- Says why an id will not be deleted, for tests and explain.
function plan:note(id, format, ...)
  if self.notes and not self.notes[id] then
    self.notes[id] = select("#", ...) > 0 and format:format(...) or format
  end
end

--- Adds a candidate; its place.
function plan:add(id, request, ended_ms, reason)
  local at = self.size + 1
  self.size = at
  self.ids[at], self.ended[at] = id, ended_ms or false
  self.endpoints[at] = rawget(request, "endpoint_id")
  self.statuses[at] = rawget(request, "status_code")
  self.reasons[at] = reason
  return at
end

--- A candidate that will not be deleted after all, and why.
function plan:settle(at, fate, words)
  self.fates[at], self.words[at] = fate, words
  self.counts[fate] = self.counts[fate] + 1
  self:note(self.ids[at], "%s: %s", fate, words)
end

--- The places of what will be deleted, oldest first; what has no time last.
--- Lists come in this order, so that there is nothing to sort then.
function plan:order()
  if self.sorted then
    return self.sorted
  end
  local list, ended, ids, count = {}, self.ended, self.ids, 0
  local latest, last_id, sorted = -1, "", true
  for at = 1, self.size do
    if not self.fates[at] then
      count = count + 1
      list[count] = at
      local ms = ended[at] or math.maxinteger
      sorted = sorted and (ms > latest or ms == latest and
                           ids[at] > last_id)
      latest, last_id = ms, ids[at]
    end
  end
  self.sorted = list
  if sorted then
    return list
  end
  table.sort(list, function(a, b)
    local x, y = ended[a] or math.maxinteger, ended[b] or math.maxinteger
    if x ~= y then
      return x < y
    end
    return ids[a] < ids[b]
  end)
  return list
end

--- How many will be deleted.
function plan:planned()
  local counts = self.counts
  return self.size - counts.kept - counts.held - counts.open -
    counts.quarantine
end

--- Rows of the listing that the ledger does not have as deleted.
function plan:unknown()
  return self.scanned - self.already
end

local function time(ms)
  return ms and core.format_time(ms) or nil
end

--- One candidate as a table, for a plan's rows.
function plan:item(at)
  return {
    request_id = self.ids[at], endpoint_id = self.endpoints[at],
    ended_at = time(self.ended[at]), status_code = self.statuses[at],
    policy = self.policy.name,
    reason = self.reasons[at] or self.policy.reason,
  }
end

--- Calls f(item, words) for each candidate with this fate (nil: deleted,
--- oldest first).
function plan:each(fate, f)
  if not fate then
    for _, at in ipairs(self:order()) do
      f(self:item(at))
    end
    return
  end
  for at = 1, self.size do
    if self.fates[at] == fate then
      f(self:item(at), self.words[at])
    end
  end
end

--- The figures, as `--json`, the ledger and plan files have them.
function plan:totals()
  local list = self:order()
  return {
    name = self.policy.name, scanned = self.scanned,
    already_deleted = self.already, passed_over = self.passed_over,
    taken = self.taken, planned = self:planned(), kept = self.counts.kept,
    held = self.counts.held, open = self.counts.open,
    quarantine = self.policy.action and self.counts.quarantine or nil,
    oldest = time(list[1] and self.ended[list[1]]),
    newest = time(list[1] and self.ended[list[#list]]),
  }
end

return plan
