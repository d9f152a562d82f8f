--- A policy at each step of a stretch of virtual time.
---
---   history (rows) --> a stage: API, ledger and clock of its own
---                        |  at each step: the whole file is run, for real
---                        v  as far as the stage is concerned
---   days: erased, kept, held, age of the youngest, stopped and why
---
--- The same runner, gate and limits as in a run; only the API is a fixture.
local core = require "core"
local staged = require "fal.staged"

local simulation = {}

local function note_age(day, result)
  local age = result.age
  if age and (not day.youngest or age < day.youngest) then
    day.youngest, day.youngest_id = age, result.request_id
  end
end

--- Counts what the gate says, and remembers the youngest that was erased.
local function watcher(day)
  return function(result, err)
    local status = (result or err).status or "failed"
    if result and status == "deleted" then
      note_age(day, result)
    end
    if day[status] then
      day[status] = day[status] + 1
    end
  end
end

local function take_plans(day, plans)
  for _, plan in ipairs(plans or {}) do
    local totals = plan:totals()
    day.scanned = day.scanned + totals.scanned
    day.kept = day.kept + totals.kept
    day.planned = day.planned + totals.planned
    day.held = math.max(day.held, totals.held)
  end
end

local function one_day(job, at)
  local day = { at = core.format_time(at // 1000 * 1000), deleted = 0,
                kept = 0, held = 0, planned = 0, scanned = 0, partial = 0,
                failed = 0, refused = 0 }
  job.run.observe = watcher(day)
  local record = staged.policy(job.host, job.stage, job.run)
  take_plans(day, record.outcome and record.outcome.plans)
  day.exit_code = record.exit_code
  if record.exit_code ~= 0 then
    day.stopped = record.message or record.stopped
  end
  return day
end

local function add_up(result, day)
  result.deleted = result.deleted + day.deleted
  if day.deleted > result.peak.deleted then
    result.peak = { at = day.at, deleted = day.deleted }
  end
  if day.stopped then
    result.stopped_days = result.stopped_days + 1
  end
  if day.youngest and (not result.youngest or
    day.youngest < result.youngest.age_seconds) then
    result.youngest = { age_seconds = day.youngest // 1, at = day.at,
                        request_id = day.youngest_id }
  end
  day.youngest = day.youngest and day.youngest // 1
end

--- Runs it at each step. Waits. Ends early when the policy itself fails.
---@param job {host:table, stage:table, run:table, from:integer, to:integer,
---  every:integer}   run: as staged.policy takes it
---@return table result  {days, deleted, peak, youngest, stopped_days}
function simulation.run(job)
  local result = { days = {}, deleted = 0, stopped_days = 0,
                   peak = { deleted = 0 } }
  for at = job.from, job.to, job.every do
    job.stage:advance(math.max(at - job.stage:at(), 0))
    local day = one_day(job, at)
    result.days[#result.days + 1] = day
    add_up(result, day)
    if day.exit_code == 1 or day.exit_code == 9 then
      result.failed = day.stopped
      break
    end
  end
  return result
end

return simulation
