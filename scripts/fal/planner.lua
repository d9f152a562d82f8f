--- Plans a declared policy, whole, before anything of it is deleted.
---
---   each row: in the ledger as deleted? --> where --> candidate
---   all candidates: keep --> hold --> what the gate would say
---
--- The rules see the request; what they do to that table changes nothing,
--- because the id and its facts were taken before.
local core = require "core"
local check = require "fal.check"
local hold = require "fal.hold"
local hooks = require "fal.hooks"
local keeping = require "fal.keeping"
local later = require "fal.later"
local payload = require "fal.payload"
local plan = require "fal.plan"
local quarantine = require "fal.quarantine"
local tasks = require "fal.tasks"
local time = require "fal.time"
local veto = later "fal.veto"

local planner = {}

local BATCH <const> = 256       -- rows decided at a time when payloads are
local TOGETHER <const> = 16     -- looked at, and by how many tasks

-- ---- one row ------------------------------------------------------------

--- Fills `row`, the same one for each item that is decided on at once: a
--- table for each would be half of what a rule costs.
local function take_row(job, row, item, place)
  local list = job.policy.selection
  row.reason = nil
  if list then                          -- fal.requests has checked it
    row.id, row.request, row.ended = item.request_id, item, list.ended_ms
    return row
  end
  local id = type(item) == "table" and rawget(item, "request_id") or item
  if not core.parse_id(id) then
    check.fail("policy", "select", "item %d is no request and no request id: "
               .. "%s", place, check.show(id))
  end
  local request = payload.item(item)
  local ended = rawget(request, "ended_at")
  row.id, row.request = id, request
  row.ended = type(ended) == "string" and core.parse_time(ended) or nil
  return row
end

--- Others than lists of the API may name an id twice.
local function came_before(job, id)
  if job.policy.selection then
    return false
  end
  local before = job.seen[id]
  job.seen[id] = true
  return before
end

--- Counts a row; true when the rule has to decide on it.
local function is_new(job, row)
  local made = job.plan
  if came_before(job, row.id) then
    return false
  end
  made.scanned = made.scanned + 1
  if job.taken and job.taken[row.id] then
    made.taken = made.taken + 1
    made:note(row.id, "policy '%s' has it already", job.taken[row.id])
    return false
  end
  row.fate, row.code, row.held_by = core.preview(row.id)
  if row.fate == "already_deleted" then
    made.already = made.already + 1
    made:note(row.id, "already deleted, as the ledger says")
    return false
  end
  return true
end

local function refuse(job, row, rule, words)
  error(("%sthe %s of policy '%s' returned %s; it was asked about %s"):format(
    job.policy.place, rule, job.policy.name, words, row.id), 0)
end

local function decide(job, row)
  local where = job.policy.where
  row.passes = not where or where(row.request, job.now)
  if row.passes == core.json.null then
    refuse(job, row, "where", "null: true or false is needed")
  elseif row.passes and type(job.policy.reason) == "function" then
    row.reason = job.policy.reason(row.request, job.now)
    if not check.reason(row.reason) then
      refuse(job, row, "reason", ("a %s: UTF-8 text of 1 to 1000 bytes is "
        .. "needed"):format(type(row.reason)))
    end
  end
end

local function note_young(made, row)
  local young = made.too_young
  young.count = (young.count or 0) + 1
  if not young.ended or (row.ended or 0) > young.ended then
    young.ended, young.id = row.ended or 0, row.id
  end
end

local function keep_row(job, row)
  local made = job.plan
  if not row.passes then
    made.passed_over = made.passed_over + 1
    made:note(row.id, "its where said no")
    return
  elseif job.policy.selection then      -- a double would be kept and deleted
    if job.seen[row.id] then
      return
    end
    job.seen[row.id] = true
  end
  local at = made:add(row.id, row.request, row.ended, row.reason)
  job.codes[at] = row.fate ~= "planned" and (row.code or row.fate) or nil
  job.held_by[at] = row.held_by
  if job.asks or job.policy.verify or job.policy.action then
    made.rows[at] = row.request
  end
  if job.keeping and row.fate ~= "failed" and row.fate ~= "partial" then
    job.keeping:add(at, row.request, row.ended)
  end
end

-- ---- the listing --------------------------------------------------------

--- Rows whose rule looks at payloads: several are fetched at a time, and the
--- verdicts are taken in the order of the list.
local function decide_batch(job, rows)
  if not rows[1] then
    return
  end
  local at = 0
  tasks.run(function()
    at = at + 1
    return rows[at]
  end, function(row)
    decide(job, row)
  end, TOGETHER)
  for _, row in ipairs(rows) do
    keep_row(job, row)
  end
end

local function scan(job)
  local place, batch, fetched, row = 0, {}, payload.count, {}
  for item in job.policy.next do
    place = place + 1
    take_row(job, row, item, place)
    if is_new(job, row) then
      if payload.count == fetched then
        decide(job, row)
        keep_row(job, row)
      else
        batch[#batch + 1] = row
        row = {}
      end
    end
    if #batch >= BATCH then
      decide_batch(job, batch)
      batch = {}
    end
  end
  decide_batch(job, batch)
end

-- ---- what becomes of the candidates -------------------------------------

local function apply_keep(job)
  local why = job.keeping and job.keeping:finish(job.now_ms) or {}
  for at = 1, job.plan.size do
    if why[at] then
      job.plan:settle(at, "kept", why[at])
    end
  end
end

local function apply_gate(job, at)
  local made, code = job.plan, job.codes[at]
  if code == "held" then
    made:settle(at, "held", job.held_by[at] or "a legal hold covers it")
  elseif code == "too_young" then
    note_young(made, { id = made.ids[at], ended = made.ended[at] })
  elseif code == "failed" or code == "partial" then
    made:settle(at, "open", "an earlier deletion of it is not settled")
  end
end

--- Where a policy hides first: true when that, or the grace, comes next.
local function apply_action(job, at)
  local made, code, action = job.plan, job.codes[at], job.policy.action
  if not action or code and not (code == "held" and
    quarantine.is_grace(job.held_by[at])) then
    return false
  end
  local fate, words = job.view:fate(made.ids[at], action, job.now_ms)
  if fate then
    made:settle(at, fate, words)
  end
  return fate ~= nil
end

--- A run asks when it deletes, and a plan now.
local function apply_veto(job, at)
  local made = job.plan
  if core.mode == "run" or not hooks.vetoes() or made.fates[at] or
    job.codes[at] then
    return
  end
  local reason = made.reasons[at] or job.policy.reason
  local why = veto.ask(made.rows[at], made.ids[at], {
    policy = job.policy.name,
    reason = type(reason) == "string" and reason or nil })
  if why then
    made:settle(at, "held", why)
  end
end

local function apply_holds(job)
  local made = job.plan
  for at = 1, made.size do
    if not made.fates[at] then
      local reason = job.asks and
        hold.ask(job.holds, made.rows[at], job.now, made.ids[at])
      if reason then
        made:settle(at, "held", reason)
      elseif not apply_action(job, at) then
        apply_gate(job, at)
        apply_veto(job, at)
      end
    end
    if made.fates[at] and made.fates[at] ~= "quarantine" then
      made.rows[at] = nil
    end
  end
end

--- A file's holds are the gate's, which must hear of them before it is asked
--- about ids.
local function open_holds(job)
  local ok, err = hold.open(job.holds)
  if not ok then
    error(err, 0)
  end
end

--- Notes what belongs to this policy from now on: what it erases, and what
--- it hides or has hidden, which no policy after it may erase.
local function take(made, taken)
  for at = 1, taken and made.size or 0 do
    local fate = made.fates[at]
    if not fate or fate == "quarantine" or
      fate == "held" and made.policy.action then
      taken[made.ids[at]] = made.policy.name
    end
  end
end

--- Plans one policy. Waits; raises when the list or a rule fails, and after
--- a safety stop by a source of holds.
---@param made table       a declaration of policy.lua
---@param options {now_ms:integer, holds:fal.HoldSource[]?, taken:table?,
---  view:table?, notes:table?}   view: of quarantine.lua; holds: of the run;
---  nil: the policy's own
---  taken: which policy of this run has an id already; nil: there is one only
function planner.plan(made, options)
  local holds = options.holds or made.hold
  local job = {
    policy = made, now_ms = options.now_ms, taken = options.taken,
    now = core.format_time(options.now_ms // 1000 * 1000), codes = {},
    held_by = {}, view = options.view,
    plan = plan.new(made, options.notes), holds = holds,
    asks = hold.asks(holds) or hooks.vetoes(),
    keeping = made.keep and keeping.new(made.keep), seen = {},
  }
  local _ <close> = setmetatable({}, { __close = function()
    time.pin(nil)
  end })
  job.plan.holds = holds
  open_holds(job)
  time.pin(job.now_ms)
  scan(job)
  core.sleep(0)                 -- each phase has a turn of its own
  apply_keep(job)
  core.sleep(0)
  apply_holds(job)
  core.sleep(0)
  take(job.plan, options.taken)
  return job.plan
end

return planner
