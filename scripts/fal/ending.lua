--- on_finish and on_failure: who is told how a run ended.
---
---   all is answered --> on_finish(run) --> exit code not 0? on_failure(run)
---                          |-- bounded in time, deletes nothing any more
---                          \-- raises: the policy failed (exit 1), unless
---                              the code is worse already
local core = require "core"
local deletions = require "fal.deletions"
local hooks = require "fal.hooks"
local later = require "fal.later"
local report = later "fal.report"
local tasks = require "fal.tasks"
local text = require "fal.text"

local ending = {}

local LIMIT_MS <const> = 30000          -- for all functions together

local MEANS <const> = {
  [0] = "all done, or nothing to do", [1] = "the policy failed",
  [2] = "usage or configuration",
  [3] = "some were not deleted or changed", [4] = "safety stop",
  [5] = "the API refused the key", [7] = "to be resumed by the next run",
  [8] = "the ledger failed", [9] = "a cap was passed",
  [70] = "a bug in falrun", [130] = "interrupted", [143] = "interrupted",
}

local function names_of(plans)
  local names = {}
  for _, plan in ipairs(plans or {}) do
    names[#names + 1] = plan.policy.name        -- none, of a script
  end
  return names[1] and core.json.array(names) or nil
end

local function number_of(host)
  local run = core.mode == "run" and host.ledger and host.ledger.runs(1)[1]
  return run and run.run or nil
end

local function words(facts)
  return ("falrun %s: %s in %s; exit code %d, %s"):format(
    text.clean(facts.policy or facts.command),
    report.counts(facts.counts, facts.mode == "run" and "deleted" or
      "planned"), text.seconds(facts.seconds), facts.exit_code,
    MEANS[facts.exit_code] or "see the log")
end

--- A table of its own for each function: what one changes is no news of the
--- next.
local function facts_of(host, run)
  local code, why = host.verdict()
  local stopped, sentence = host.stopped()
  local failures = {}
  for i, failure in ipairs(run.failures or {}) do
    failures[i] = { request_id = failure.request_id, kind = failure.kind,
                    status = failure.status, message = failure.message }
  end
  local facts = {
    run = number_of(host), command = host.command, mode = core.mode,
    policy = host.policy and host.policy.path, policies = names_of(run.plans),
    exit_code = code, ok = code == 0, counts = host.counts(),
    seconds = (core.now() - run.began) / 1000,
    at = core.format_time(core.at() // 1000 * 1000),
    stopped = stopped and sentence or nil,
    error = code ~= 0 and why or nil,
    failures = core.json.array(failures),
  }
  facts.summary = words(facts)
  return facts
end

--- f(facts) in a task that is ended when its time is over.
local function bounded(f, facts, until_ms)
  local late = false
  local task = core.spawn(f, facts)
  local dog = core.spawn(function()
    core.sleep(math.max(until_ms - core.now(), 0))
    late = true
    task:cancel()
  end)
  local ok, err = task:wait()
  dog:cancel()
  return ok, err, late
end

local function tell(host, name, run, until_ms)
  for _, hook in ipairs(hooks.list(name)) do
    local ok, err, late = bounded(hook.f, facts_of(host, run), until_ms)
    if late then
      core.log.warn(("%s%s was ended after %s: it takes too long"):format(
        hook.place, name, text.seconds(LIMIT_MS / 1000)))
    elseif not ok and not hooks.is_over(err) then
      hooks.fail(hook, name, err)
    end
  end
end

--- Waits for what hooks have spawned, as long as there is time.
local function settle(until_ms)
  local dog = core.spawn(function()
    core.sleep(math.max(until_ms - core.now(), 0))
    tasks.cancel()
  end)
  tasks.settle()
  dog:cancel()
end

--- Tells whoever wants to know. What they ask of fal that changes something
--- raises: the run is over. Waits.
---@param run {began:integer, plans:table[]?, failures:table[]?}
function ending.run(host, run)
  local until_ms = core.now() + LIMIT_MS
  deletions.close("after the run: who is told of its end changes nothing any "
                  .. "more")
  tell(host, "on_finish", run, until_ms)
  if (host.verdict()) ~= 0 then
    tell(host, "on_failure", run, until_ms)
  end
  settle(until_ms)
end

return ending
