--- Runs a policy file, whichever way it is written.
---
---   chunk() --> nothing returned: a script, which deleted by itself
---           --> fal.policy: holds, settle, plan, limits, question, delete
---
--- The same for run, plan and tests: in plan mode the gate answers "planned".
--- Every policy of a file is planned, and every limit checked, before the
--- first deletion.
local later = require "fal.later"
local consent = require "fal.consent"
local core = require "core"
local deletions = require "fal.deletions"
local ending = later "fal.ending"
local hold = later "fal.hold"
local hooks = require "fal.hooks"
local limits = later "fal.limits"
local looked = later "fal.looked"
local planner = later "fal.planner"
local policy = later "fal.policy"
local quarantine = later "fal.quarantine"
local sending = later "fal.sending"
local summary = later "fal.summary"
local tasks = require "fal.tasks"
local unsettled = later "fal.unsettled"

local runner = {}

local Outcome = {}
Outcome.__index = Outcome

--- Why an id was not deleted, for tests and explain; nil when it was, or
--- would be. Needs the option `notes`.
function Outcome:why(id)
  if self.told[id] then
    return self.told[id]
  elseif self.fates[id] then
    return nil
  end
  local plans, words = self.plans or {}, {}
  for i, plan in ipairs(plans) do
    words[i] = (#plans > 1 and plan.policy.name .. ": " or "") ..
      (plan.notes[id] or "not selected")
  end
  return self.stopped or words[1] and table.concat(words, "; ")
    or "not selected"
end

--- ---- deleting a plan -----------------------------------------------------

--- The id at this place of the plan, after what its holds say now.
local function next_of(plan, at, now)
  local id, row = plan.ids[at], plan.rows[at]
  local reason = row and core.mode == "run" and
    hold.ask(plan.holds, row, now, id)
  if reason then
    core.hold_id(id, reason)
  end
  plan.rows[at] = nil
  return id, plan.reasons[at], row
end

--- Deletes what a plan has left, oldest first. Waits.
function runner.delete(plan, now_ms)
  local order, next_at, stopped = plan:order(), 0, false
  local reason = plan.policy.reason
  local now = core.format_time(now_ms // 1000 * 1000)
  sending.run {
    options = { reason = type(reason) == "string" and reason or nil,
                policy = plan.policy.name,
                verify = plan.policy.verify or nil },
    limit = sending.limit(hold.asks(plan.holds) or hooks.vetoes()),
    marks = hold.marks(plan.holds),
    asked = core.mode ~= "run",
    next = function()
      next_at = next_at + 1
      local at = not stopped and order[next_at]
      if at then
        plan.handed = next_at
        return next_of(plan, at, now)
      end
    end,
    taken = function(counts)
      for status, count in pairs(counts) do
        plan.outcomes[status] = (plan.outcomes[status] or 0) + count
      end
      stopped = stopped or counts.refused ~= nil
    end,
  }
end

--- ---- declared policies -------------------------------------------------

local function open_holds(holds)
  local ok, err = hold.open(holds)
  if not ok then
    error(err, 0)
  end
end

--- The floor of a policy that is alone is the run's, so that the gate knows
--- it too; of several, each plan is held against its own.
local function tighten(list)
  local floor = #list == 1 and list[1].limits.min_age_text
  if floor then
    core.tighten { min_age = floor }
  end
end

local function plan_all(outcome, list, options)
  local taken = #list > 1 and {} or nil
  for i, made in ipairs(list) do
    outcome.plans[i] = planner.plan(made, {
      now_ms = outcome.now_ms, taken = taken, holds = outcome.holds,
      view = outcome.view,
      notes = options.notes and {} or nil })
  end
end

--- True when no limit is passed; else the run is stopped.
local function within_limits(outcome, options)
  local planned, unknown, first = 0, 0, nil
  for _, plan in ipairs(outcome.plans) do
    for _, sentence in ipairs(limits.broken(plan, outcome.now_ms,
                                            options.history)) do
      first = first or sentence
      core.log[first == sentence and "debug" or "error"](sentence)
    end
    planned, unknown = planned + plan:planned(), unknown + plan:unknown()
  end
  outcome.planned = planned
  if first then
    core.stop(first)
    return false
  end
  return (core.declare { planned = planned, scanned = unknown })
end

local function run_declared(host, outcome, list, options)
  outcome.plans = {}
  deletions.close()
  outcome.holds = hold.of_run(list)
  open_holds(outcome.holds)
  tighten(list)
  options.settle()
  outcome.now_ms = core.at()
  outcome.view = quarantine.view(host)
  core.phase "listing"
  plan_all(outcome, list, options)
  if options.only_plan then
    return
  elseif not within_limits(outcome, options) then
    return
  end
  summary.show(host, outcome.plans)
  if not consent.planned(host, outcome.planned) then
    return
  end
  core.phase("deleting", outcome.planned)
  for _, plan in ipairs(outcome.plans) do
    plan.outcomes = {}
    runner.delete(plan, outcome.now_ms)
    if plan.counts.quarantine > 0 and core.mode == "run" then
      require("fal.hiding").run(plan, outcome.view)     -- few need it
    end
  end
end

--- ---- any file ----------------------------------------------------------

local function nothing() end

--- What earlier runs left open, once; functions that hold are asked before.
local function settler(host, outcome, settle)
  return tasks.once(function()
    if outcome.holds or core.loaded "fal.hold" or hooks.vetoes() then
      unsettled.hold(host, outcome.holds or hold.enforced())
    end
    settle()
  end)
end

local function no_history()
  return {}
end

--- Forgets what an earlier run in this process left in the library.
local function reset(host, settle)
  for _, name in ipairs { "fal.policy", "fal.hold", "fal.looked" } do
    if core.loaded(name) then
      require(name).reset()
    end
  end
  local runs = core.mode == "run"
  consent.begin(host)
  hooks.begin(host)
  deletions.reset(runs and settle or nil, runs and function(count)
    consent.script(host, count)
  end or nil)
end

--- A script that deleted something was stopped by the gate already.
local function refuse_percent(host)
  if host.options["max-percent"] and not host.stopped() then
    host.usage("--max-percent needs a declarative policy (return fal.policy "
               .. "{ ... }), whose whole is known before the first deletion; "
               .. "use --max-deletes N")
  end
end

--- Whether the exit code may be 0; else what was looked at does not count.
local function did_all(host)
  local counts = host.counts()
  return core.mode == "run" and core.loaded "fal.looked" and
    counts.failed + counts.partial + counts.open + counts.unchanged == 0
end

local function finish(host, outcome, only_plan)
  if outcome.ok then
    tasks.settle()
  else
    tasks.cancel()
  end
  local stopped, sentence = host.stopped()
  outcome.stopped = stopped and sentence or nil
  if outcome.ok and not stopped and did_all(host) then
    outcome.ok = host.guard(looked.record)
  end
  if outcome.plans and outcome.plans[1] then
    host.note("policies", summary.note(outcome.plans))
  end
  if hooks.told() and not only_plan then
    ending.run(host, outcome)
  end
end

--- Watches what the gate says of each id; in brief, of failures only.
local function watch(host, outcome, observe, brief)
  observe = hooks.watcher(outcome.failures, observe)
  host.observe(function(id, result, err)
    if outcome.notes then
      outcome.fates[id] = result and result.status or nil
      outcome.told[id] = err and err.message or nil
    end
    observe(id, result, err)
  end, brief and not outcome.notes)
end

--- Runs it. Waits. Errors are reported as the policy's.
---@param host table
---@param chunk function      the policy's main chunk
---@param args string[]
---@param options {settle:function?, observe:function?, history:function?,
---  notes:boolean?, only_plan:boolean?, path:string?, brief:boolean?}
---  settle: what earlier runs left open; history: see limits.lua; notes:
---  remember why, for outcome:why(id); only_plan: declared policies end with
---  their plans, without limits
---@return table outcome  {ok, plans, now_ms, planned, stopped}
function runner.run(host, chunk, args, options)
  options = options or {}
  local outcome = setmetatable({ fates = {}, told = {}, failures = {},
                                 began = core.now(), notes = options.notes },
                               Outcome)
  options = {
    settle = settler(host, outcome, options.settle or nothing),
    notes = options.notes,
    history = options.history or no_history,
    observe = options.observe or nothing, only_plan = options.only_plan,
    brief = options.brief,
    path = options.path or host.policy and host.policy.path or "the policy",
  }
  watch(host, outcome, options.observe, options.brief)
  reset(host, options.settle)
  outcome.ok = host.guard(function()
    local value = chunk(table.unpack(args))
    local list = (value ~= nil or core.loaded "fal.policy") and
      policy.returned(value, options.path)
    if list then
      run_declared(host, outcome, list, options)
    else
      options.settle()
      refuse_percent(host)
    end
  end)
  finish(host, outcome, options.only_plan)
  return outcome
end

return runner
