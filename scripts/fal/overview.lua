--- How a ledger stands now: the last runs of each job, open work, and what is
--- overdue. For falrun status, and for metrics.
---
---   runs -------> last run, last success, what its plan left --+
---   deletions --> requests by state, open, debt <--------------+
---
--- Retention debt is what was chosen to be erased and is still on fal. Most of
--- it the ledger has by itself: it is announced before it is sent. What a plan
--- never came to (a limit, --max-runtime) only its run could count, and noted
--- (summary.lua). What a script would have asked for later, nobody knows.
local core = require "core"
local story = require "fal.story"

local overview = {}

local RUNS_MOST <const> = 10000

--- In this order everywhere. `unsent`: announced and taken back, or never
--- come to; `refused`: the API did not accept the key.
overview.DEBTS = { "failed", "partial", "open", "refused", "unsent" }

local function time(ms)
  return ms and core.format_time(ms // 1000 * 1000) or nil
end

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

-- ---- runs ------------------------------------------------------------------

local function job_of(found, run)
  local key = ("%s\0%s"):format(run.command, run.policy or "")
  local job = found.by_key[key]
  if not job then
    job = { command = run.command, policy = run.policy, last = run }
    found.by_key[key] = job
    found.jobs[#found.jobs + 1] = job
  end
  return job
end

--- The newest note of each declared policy: what its plan left.
local function take_left(found, run)
  local notes = run.summary and story.value(run.summary.policies)
  for name, note in pairs(type(notes) == "table" and notes or {}) do
    if not found.noted[name] and type(note) == "table" then
      found.noted[name] = true
      local left = math.type(note.left) == "integer" and note.left or 0
      found.left = found.left + left
      found.left_oldest = earlier(found.left_oldest, left > 0 and
        type(note.oldest_left) == "string" and
        core.parse_time(note.oldest_left) or nil)
    end
  end
end

--- Jobs {command, policy, last, success}, the last used first.
local function read_runs(host)
  local found = { jobs = core.json.array {}, by_key = {}, noted = {},
                  left = 0 }
  for _, run in ipairs(host.ledger.runs(RUNS_MOST)) do
    local job = job_of(found, run)
    if run.exit_code == 0 and not job.success then
      job.success = run
    end
    take_left(found, run)
  end
  return found
end

-- ---- deletions -------------------------------------------------------------

local function add_debt(debt, state, count, oldest)
  debt[state] = (debt[state] or 0) + count
  debt.count = debt.count + count
  debt.oldest_ms = earlier(debt.oldest_ms, count > 0 and oldest or nil)
end

local function new_debt()
  local debt = { count = 0, held = 0 }
  for _, state in ipairs(overview.DEBTS) do
    debt[state] = 0
  end
  return debt
end

--- What a plan's run announced and took back is within what it noted as left,
--- or its next run has chosen otherwise.
local function take_state(debt, row)
  if row.state == "deleted" or row.state == "gone" then
    return
  elseif row.held == 1 then
    debt.held = debt.held + row.count
  elseif not (row.state == "unsent" and row.declared == 1) then
    add_debt(debt, row.state, row.count, row.oldest_ms)
  end
end

local function read_deletions(host, runs)
  local requests, debt = {}, new_debt()
  local open = { count = 0 }
  for _, row in ipairs(host.ledger.tally()) do
    requests[row.state] = (requests[row.state] or 0) + row.count
    take_state(debt, row)
    if row.state == "open" then
      open.count = open.count + row.count
      open.oldest_ms = earlier(open.oldest_ms, row.since_ms)
    end
  end
  add_debt(debt, "unsent", runs.left, runs.left_oldest)
  return requests, debt, open
end

--- Everything. Times are ms since 1970, in fields that end with _ms.
---@return table
function overview.of(host)
  local runs = read_runs(host)
  local requests, debt, open = read_deletions(host, runs)
  return { made_ms = core.at(), jobs = runs.jobs, requests = requests,
           debt = debt, open = open, holds = #host.ledger.holds(),
           residue = #host.ledger.residue(),
           quarantined = #host.ledger.quarantined(),
           head = host.ledger.head(), path = host.ledger.path,
           there = host.ledger.there,
           holder = host.ledger.holder() }
end

--- How old the last success of a job is, in ms; nil: there was none.
function overview.age(job, now_ms)
  return job.success and now_ms - core.parse_time(job.success.ended_at)
end

-- ---- as JSON ---------------------------------------------------------------

local function run_json(run)
  return run and { run = run.run, began_at = run.began_at,
    ended_at = run.ended_at, seconds = story.took(run),
    exit_code = run.exit_code, summary = run.summary }
end

--- The same as docs/schemas/status.json has it.
function overview.json(all)
  local jobs, debt = core.json.array {}, { count = all.debt.count,
    held = all.debt.held, oldest_ended_at = time(all.debt.oldest_ms) }
  for i, job in ipairs(all.jobs) do
    jobs[i] = { command = job.command, policy = job.policy,
      last_run = run_json(job.last), next_at = time(job.next_ms),
      last_success_at = job.success and job.success.ended_at }
  end
  for _, state in ipairs(overview.DEBTS) do
    debt[state] = all.debt[state]
  end
  local head = all.head
  return { made_at = time(all.made_ms), jobs = jobs, debt = debt,
    open = { count = all.open.count, oldest_at = time(all.open.oldest_ms) },
    requests = all.requests, holds = all.holds,
    residue_files = all.residue, quarantined = all.quarantined,
    running = all.holder,
    ledger = { path = all.path, there = all.there, id = head.ledger,
               events = head.events, head = head.head,
               head_at = time(head.at_ms), bytes = head.bytes } }
end

return overview
