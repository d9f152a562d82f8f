--- falrun plan POLICY.lua: the same script, and nothing is deleted.
local core = require "core"
local host = require "host"
local listing = require "fal.planlist"
local planfile = require "fal.planfile"
local runner = require "fal.runner"
local summary = require "fal.summary"
local text = require "fal.text"

local EXPIRES <const> = "24h"

local OPTIONS <const> = {
  { name = "output", value = "FILE", help = "write the plan to a file, for "
    .. "falrun apply (-o)" },
  { name = "expires", value = "DUR", help = "how long apply takes it (24h)" },
  { name = "diff", value = "FILE", help = "what is new, gone, or has another "
    .. "reason since that plan" },
}

local function expiry()
  local given = host.options.expires or EXPIRES
  local ms = core.parse_duration(given)
  if not ms or ms == 0 then
    host.usage(("--expires is \"%s\": write a duration, like 24h or 3d")
      :format(text.clean(given:sub(1, 40))))
  end
  return ms
end

local function write_file(path, plan, outcome, expires)
  local stopped, sentence = host.stopped()
  if stopped or not outcome.ok then
    core.log.warn(("no plan was written to %s: %s"):format(path, sentence
      or "the policy failed"))
    return
  end
  local count = outcome.planned or host.counts().planned
  if count > #plan.planned then
    host.usage(("no plan was written to %s: %d are planned, and a plan file "
      .. "has at most %d items; narrow the policy"):format(path, count,
      planfile.MOST))
  end
  planfile.write(host, path, listing.head(host, outcome, expires),
                 plan.planned)
  core.log.info(("the plan is in %s; falrun apply %s carries it out")
    :format(path, path))
end

local function run()
  local expires = expiry()
  local path, before = host.options.output, host.options.diff
  before = before and planfile.read(host, before)
  if path then
    planfile.check_place(host, path)
  end
  local plan = listing.new(host)
  local outcome = runner.run(host, host.load_policy(), host.args, {
    observe = plan.observe, history = summary.history(host),
  })
  plan.take(outcome.plans)
  if before then
    plan.compare(before)
  end
  plan.print(outcome)
  if path then
    write_file(path, plan, outcome, expires)
  end
end

return {
  summary = "show what a policy would delete, and why; delete nothing",
  usage = "falrun plan [options] POLICY.lua [args...]",
  help = [[
Runs the same unmodified script, but the gate answers every deletion with
"planned", and the transport refuses whatever would change something. The
limits hold as in a run, so a plan that passes them is one that a run passes.
The same as falrun --dry-run POLICY.lua.

The table names each request, when it ended, its age, its endpoint as far as a
list named it, and the reason of the policy. Ids are never shortened. With
--json, one JSON document on one line.

With -o the plan goes to a file as well: what falrun apply then deletes is
exactly that. With --diff an earlier plan is compared with this one.

Examples:
  falrun plan --sandbox policies/older-than.lua
  falrun plan older-than.lua 90d --json | jq -r '.planned[].request_id'
  falrun plan older-than.lua -o tonight.plan && falrun apply tonight.plan
  falrun plan older-than.lua --diff tonight.plan
]],
  run_options = true,
  options = OPTIONS,
  run = run,
}
