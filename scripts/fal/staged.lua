--- One run of a policy on a stage, as falrun itself would run it, and what
--- became of every request it asked about.
---
---   begin --> settle --> the chunk, in a task --> tasks over --> finish
---                            ^ ended after a week of the virtual clock
local core = require "core"
local net = require "fal.net"
local runner = require "fal.runner"
local summary = require "fal.summary"
local tasks = require "fal.tasks"

local run = {}

local WEEK <const> = 7 * 86400000
local GRACE <const> = 86400000          -- for a policy that was cancelled

--- The host as the runner sees it: the options are those of this run, and
--- nobody is there to answer a question; nothing real is at stake.
local function host_of(host, spec)
  return setmetatable({
    options = { quiet = spec.quiet or host.options.quiet,
      ["no-input"] = "true", yes = "true",
      ["max-percent"] = spec.max_percent and tostring(spec.max_percent) },
    stdin_tty = false, stderr_tty = false,
  }, { __index = host })
end

--- The one place that runs a policy's main chunk.
local function body(host, chunk, spec, record)
  net.record(record.sent)
  record.outcome = runner.run(host_of(host, spec), chunk, spec.args, {
    notes = spec.notes, history = summary.history(host),
    settle = function() host.settle() end,
    observe = function(id, result, err)
      if spec.observe then
        spec.observe(result, err)
      end
      record.results[id] = { status = (result or err).status or "failed",
                             message = err and err.message }
    end,
  })
  tasks.settle()
  net.record(nil)
end

--- Runs the chunk in a task of its own, which does not outlive its time: the
--- virtual clock never stands still, so a policy that only waits would go on
--- for ever.
local function limited(host, chunk, spec, record)
  local main
  local dog = core.spawn(function()
    core.sleep(WEEK)
    record.endless = true
    main:cancel()
    tasks.cancel()
    core.sleep(GRACE)
  end)
  main = core.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      dog:cancel()
    end })
    body(host, chunk, spec, record)
  end)
  dog:wait()
end

--- The ids that the ledger has as deleted by this run.
local function deleted_by(host, number)
  local ids = {}
  host.ledger.events({ run = number }, function(event)
    if event.kind == "outcome" and event.data.state == "deleted" then
      ids[event.request_id] = true
    end
  end)
  return ids
end

local function take_end(record, ended, stopped, sentence)
  record.exit_code, record.counts = ended.exit_code, ended.counts
  record.stopped = stopped and sentence or nil
  record.message = ended.why
  if record.endless and record.exit_code == 0 then
    record.exit_code = 1
    record.message = "the policy was still waiting after 7 days of the "
      .. "virtual clock"
  end
end

--- Runs it; the record has exit_code, counts, stopped, message, results by
--- id, deleted (a set of ids), sent (what would leave beside fal) and outcome.
---@param host table
---@param stage table
---@param spec {mode:string, policy:{path:string, text:string}, args:string[],
---  max_deletes:integer?, max_percent:integer?, min_age:integer?,
---  quiet:boolean?, notes:boolean?, observe:fun(result:table?, err:table?)?}
---  notes: for why
function run.policy(host, stage, spec)
  local record = { results = {}, deleted = {}, sent = {},
                   mode = spec.mode }
  local ok, chunk = host.guard(stage.begin, stage, {
    mode = spec.mode, policy = spec.policy, args = spec.args,
    max_deletes = spec.max_deletes, max_percent = spec.max_percent,
    min_age = spec.min_age })
  if ok then
    limited(host, chunk, spec, record)
  end
  local number = spec.mode == "run" and host.ledger.runs(1)[1].run
  local stopped, sentence = host.stopped()
  take_end(record, stage:finish(), stopped, sentence)
  tasks.forget()
  record.deleted = number and deleted_by(host, number) or {}
  return record
end

--- Why a request was not deleted: words for people.
function run.why(record, id)
  local result = record.results[id]
  local told = record.outcome and record.outcome:why(id)
  if result and result.message then
    return result.message
  elseif told then
    return told
  elseif result and result.status ~= "deleted" then
    return result.status == "planned" and "only planned" or
      "already deleted"
  elseif record.stopped then
    return record.stopped
  elseif record.exit_code ~= 0 and record.message then
    return "the run ended before: " .. record.message
  end
  return "not selected"
end

return run
