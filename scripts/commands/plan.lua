--- falrun plan POLICY.lua: the same script, and nothing is deleted.
local core = require "core"
local facts = require "fal.facts"
local host = require "host"
local report = require "fal.report"
local tasks = require "fal.tasks"
local text = require "fal.text"

local ROWS_KEPT <const> = 100000

local COLUMNS <const> = {
  { title = "REQUEST ID", always = true },
  { title = "ENDED" },
  { title = "AGE", right = true },
  { title = "ENDPOINT", shrink = true },
  { title = "REASON", shrink = true },
}
local HELD <const> = {
  { title = "REQUEST ID", always = true },
  { title = "HOLD", shrink = true },
}

local function keep(rows, row)
  if #rows < ROWS_KEPT then
    rows[#rows + 1] = row
  end
end

local function watcher(plan)
  return function(id, result, err)
    local outcome = result or err
    if outcome.status == "planned" then
      local endpoint, ended = facts.of(id)
      keep(plan.planned, { request_id = id, endpoint_id = endpoint,
                           ended_at = ended, reason = outcome.reason,
                           age_seconds = outcome.age and outcome.age // 1 })
    elseif outcome.status == "held" then
      keep(plan.held, { request_id = id, reason = plan.holds[id] })
    elseif err then
      keep(plan.refused, { request_id = id, status = err.status,
                           kind = err.kind, message = err.message })
    end
  end
end

local function hold_reasons()
  local reasons = {}
  for _, hold in ipairs(host.ledger.holds()) do
    reasons[hold.request_id] = hold.reason
  end
  return reasons
end

local function totals(plan)
  local counts = host.counts()
  return {
    planned = counts.planned, already_deleted = counts.already_deleted,
    held = counts.held, refused = counts.refused, failed = counts.failed,
    partial = counts.partial, age_unknown = counts.age_unknown,
    listed = #plan.planned,
  }
end

local function print_json(plan)
  local stopped, sentence = host.stopped()
  host.write(core.json.encode {
    planned = core.json.array(plan.planned),
    held = core.json.array(plan.held),
    refused = core.json.array(plan.refused),
    already_deleted = host.counts().already_deleted,
    totals = totals(plan),
    stopped = stopped and sentence or nil,
  } .. "\n")
end

local function print_planned(plan, counts)
  local rows = {}
  for i, item in ipairs(plan.planned) do
    rows[i] = { item.request_id, item.ended_at,
                item.age_seconds and text.age(item.age_seconds),
                item.endpoint_id, item.reason }
  end
  if rows[1] then
    text.table(host, COLUMNS, rows)
  end
  if counts.planned > #rows then
    host.write(("... and %s more that are not shown\n"):format(
      text.number(counts.planned - #rows)))
  end
end

local function print_held(plan)
  local rows = {}
  for i, item in ipairs(plan.held) do
    rows[i] = { item.request_id, item.reason }
  end
  if rows[1] then
    host.write("\nHeld:\n")
    text.table(host, HELD, rows)
  end
end

local function print_refused(plan)
  if plan.refused[1] then
    host.write("\nWould not be deleted:\n")
  end
  for _, item in ipairs(plan.refused) do
    host.write(text.clean(item.message) .. "\n")
  end
end

local function print_plan(plan)
  local counts = host.counts()
  print_planned(plan, counts)
  print_held(plan)
  print_refused(plan)
  host.write(("%s%s; nothing was deleted\n"):format(
    #plan.planned + #plan.held + #plan.refused > 0 and "\n" or "",
    report.counts(counts, "planned")))
end

local function run()
  report.refuse_percent(host)
  local plan = { planned = {}, held = {}, refused = {},
                 holds = hold_reasons() }
  host.observe(watcher(plan))
  if host.guard(host.load_policy(), table.unpack(host.args)) then
    tasks.settle()
  else
    tasks.cancel()
  end
  if host.options.json then
    print_json(plan)
  else
    print_plan(plan)
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

Examples:
  falrun plan --sandbox policies/older-than.lua
  falrun plan older-than.lua 90d --json | jq -r '.planned[].request_id'
]],
  run_options = true,
  options = {},
  run = run,
}
