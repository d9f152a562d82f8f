--- How a ledger stands, in the text format of Prometheus (docs/monitoring.md).
---
--- All families have a `ledger`, so that several ledgers of a machine may each
--- have a file; those of a job have its `command` and `policy`, too.
local core = require "core"
local overview = require "fal.overview"
local story = require "fal.story"
local text = require "fal.text"

local metrics = {}

local JOBS_MOST <const> = 100
local OUTCOMES <const> = { "deleted", "already_deleted", "partial", "held",
                           "refused", "failed", "open" }
local STATES <const> = { "deleted", "gone", "partial", "failed", "refused",
                         "open", "unsent" }
local ESCAPES <const> = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function labelled(labels)
  local parts = {}
  for _, pair in ipairs(labels) do
    if pair[2] ~= nil and pair[2] ~= "" then
      parts[#parts + 1] = ('%s="%s"'):format(pair[1],
        (text.clean(pair[2]):gsub('[\\"\n]', ESCAPES)))
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function number(value)
  return math.type(value) == "integer" and ("%d"):format(value)
    or ("%.3f"):format(value)
end

--- A gauge: put(value, {name, text}...) for each sample; nil is none.
local function family(out, name, help)
  local begun = false
  return function(value, ...)
    if value == nil then
      return
    elseif not begun then
      out[#out + 1] = ("# HELP %s %s\n# TYPE %s gauge"):format(name, help,
                                                               name)
      begun = true
    end
    out[#out + 1] = ("%s%s %s"):format(name, labelled {
      { "ledger", out.ledger }, ... }, number(value))
  end
end

local function seconds(ms)
  return ms and ms / 1000
end

-- ---- the ledger ------------------------------------------------------------

local function add_ledger(out, all, version)
  family(out, "falrun_info", "Which falrun wrote this.")(1,
    { "version", version })
  family(out, "falrun_status_timestamp_seconds", "When this was written.")(
    seconds(all.made_ms))
  family(out, "falrun_ledger_events", "Events in the ledger.")(
    all.head.events)
  family(out, "falrun_ledger_size_bytes",
         "Size of the ledger's file, without its write-ahead log.")(
    all.head.bytes)
  local put = family(out, "falrun_requests",
    "Requests that were ever announced, by what became of them.")
  for _, state in ipairs(STATES) do
    put(all.requests[state] or 0, { "state", state })
  end
  family(out, "falrun_holds", "Legal holds in force.")(all.holds)
  family(out, "falrun_residue_files",
         "Output files that are known to be left.")(all.residue)
end

local function add_debt(out, all)
  family(out, "falrun_open_intents",
         "Deletions without a known outcome.")(all.open.count)
  family(out, "falrun_oldest_open_intent_timestamp_seconds",
         "When the oldest of them was announced.")(
    seconds(all.open.oldest_ms))
  local put = family(out, "falrun_retention_debt_requests",
    "Requests that were to be erased and are still on fal, and not held.")
  for _, state in ipairs(overview.DEBTS) do
    put(all.debt[state], { "reason", state })
  end
  family(out, "falrun_retention_debt_oldest_timestamp_seconds",
         "When the oldest of them ended, where that is known.")(
    seconds(all.debt.oldest_ms))
  family(out, "falrun_retention_debt_held_requests",
         "The same of those that a hold covers.")(all.debt.held)
end

-- ---- the jobs --------------------------------------------------------------

local function labels_of(job)
  return { "command", job.command }, { "policy", job.policy }
end

--- A family with a sample for each job, of value(last run, job).
local function per_job(out, all, name, help, value)
  local put = family(out, name, help)
  for i = 1, math.min(#all.jobs, JOBS_MOST) do
    local job = all.jobs[i]
    put(value(job.last, job), labels_of(job))
  end
end

local function at(word)
  return word and seconds(core.parse_time(word))
end

--- A figure of the summary that the run noted at its end.
local function figure(run, ...)
  local value = run.summary
  for _, name in ipairs { ... } do
    value = type(value) == "table" and story.value(value[name]) or nil
  end
  return type(value) == "number" and value or nil
end

local function add_runs(out, all)
  per_job(out, all, "falrun_last_success_timestamp_seconds",
    "When a run last ended with exit code 0; 0: never.", function(_, job)
      return job.success and at(job.success.ended_at) or 0
    end)
  per_job(out, all, "falrun_last_run_timestamp_seconds",
    "When the last run began.", function(run)
      return at(run.began_at)
    end)
  per_job(out, all, "falrun_last_run_complete",
    "Whether it has ended; 0: it is running, or was killed.", function(run)
      return run.ended_at and 1 or 0
    end)
  per_job(out, all, "falrun_last_run_exit_code",
    "Its exit code.", function(run)
      return run.exit_code
    end)
  per_job(out, all, "falrun_last_run_duration_seconds",
    "How long it took.", story.took)
  per_job(out, all, "falrun_scanned_requests",
    "Requests that it listed.", function(run)
      return run.summary and (figure(run, "scanned") or 0)
    end)
end

local function add_deletions(out, all)
  local put = family(out, "falrun_deletions",
    "What became of the requests of the last run.")
  for i = 1, math.min(#all.jobs, JOBS_MOST) do
    local job = all.jobs[i]
    for _, outcome in ipairs(OUTCOMES) do
      put(figure(job.last, outcome), { "outcome", outcome }, labels_of(job))
    end
  end
end

local function add_throttle(out, all)
  for _, row in ipairs {
    { "falrun_api_requests", "requests", "Requests that it sent to the API." },
    { "falrun_api_retries", "retries", "Those of them that were repeated." },
    { "falrun_api_rate_limited", "limited", "Answers of HTTP 429." },
    { "falrun_throttle_concurrency", "concurrency",
      "Requests in flight that the throttle allowed at its end." },
    { "falrun_throttle_rate", "rate",
      "Requests per second that it allowed; none: no bound was found." } } do
    per_job(out, all, row[1], row[3], function(run)
      return figure(run, "api", row[2])
    end)
  end
end

local function add_failure(out, code)
  family(out, "falrun_start_failure_exit_code",
    "Exit code of a run that could not begin, since the last that did.")(code)
end

--- The whole file.
---@param all table       of overview.of
---@param failed integer?  exit code of a run that did not even begin
function metrics.text(all, version, failed)
  local out = { ledger = all.path }
  add_ledger(out, all, version)
  add_debt(out, all)
  add_runs(out, all)
  add_deletions(out, all)
  add_throttle(out, all)
  add_failure(out, failed)
  return table.concat(out, "\n") .. "\n"
end

return metrics
