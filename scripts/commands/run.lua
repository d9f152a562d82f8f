--- falrun POLICY.lua: runs a policy, for real.
local later = require "fal.later"
local core = require "core"
local host = require "host"
local report = require "fal.report"
local runner = require "fal.runner"
local summary = later "fal.summary"

local function run()
  local began = core.now()
  local outcome = runner.run(host, host.load_policy(), host.args, {
    observe = report.watcher(host), brief = not host.options.verbose,
    history = function(...)
      return summary.history(host)(...)
    end,
    settle = function()
      report.settle(host)
    end,
  })
  report.finish(host, began, host.options.json, outcome)
end

return {
  summary = "run a policy: delete what it selects",
  usage = "falrun [options] POLICY.lua [args...]",
  help = [[
The policy is a Lua script. Every deletion it asks for passes the gate, which
checks holds, the ledger and the limits, and records the intent on disk before
anything is sent. Words after the policy are its arg[1], arg[2], ...; what
begins with a dash and is meant for it stands after --.

First, what an earlier run left open is settled: the same question is asked
again with the same Idempotency-Key.

A policy can be told how the run ended (fal.on_finish, fal.on_failure): by HTTP
to the hosts that --allow-net names, or by mail through --sendmail. --ping tells
a monitor like healthchecks.io when a run starts and ends.

Examples:
  falrun --sandbox policies/older-than.lua
  falrun --max-deletes 50000 older-than.lua 30d fal-ai/flux/dev
  falrun --dry-run older-than.lua 90d
]],
  run_options = true,
  options = {},
  run = run,
}
