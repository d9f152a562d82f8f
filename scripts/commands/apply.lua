--- falrun apply FILE: deletes exactly what a plan lists, nothing else.
---
---   plan file --> whole? in time? same account? same policy?
---             --> each item listed again: are its facts still the same?
---             --> holds, limits, gate --> deleted, oldest first
local cli = require "fal.cli"
local core = require "core"
local deletions = require "fal.deletions"
local ending = require "fal.ending"
local hold = require "fal.hold"
local hooks = require "fal.hooks"
local host = require "host"
local ids = require "fal.ids"
local plan = require "fal.plan"
local planfile = require "fal.planfile"
local policy = require "fal.policy"
local quarantine = require "fal.quarantine"
local recheck = require "fal.recheck"
local report = require "fal.report"
local runner = require "fal.runner"
local summary = require "fal.summary"
local text = require "fal.text"
local unsettled = require "fal.unsettled"

local POLICY_MOST <const> = 4 << 20

local path

local function refuse(format, ...)
  host.usage(("the plan %s is refused: "):format(path)
    .. format:format(...) .. "; make a new one with falrun plan")
end

--- ---- is it still the plan of today? ------------------------------------

local function check_head(head)
  local expires = core.parse_time(head.expires_at or "")
  local created = core.parse_time(head.created_at or "")
  if not expires or not created then
    refuse("it does not say when it was made")
  elseif core.at() >= expires then
    refuse("it expired at %s", head.expires_at)
  elseif core.at() < created - 300000 then
    refuse("it was made at %s, which is in the future", head.created_at)
  elseif head.origin ~= host.origin then
    refuse("it is for %s, and this run talks to %s", tostring(head.origin),
           host.origin)
  end
end

--- The text of a file that must be as it was when the plan was made; nil
--- when it is not there.
local function same_text(what, file)
  local source = host.read_file(file.path, POLICY_MOST)
  if source and host.sha256(source) ~= file.sha256 then
    refuse("the %s %s has changed since it was made", what, file.path)
  end
  return source
end

local function asks_functions(sources)
  for _, source in ipairs(sources or {}) do
    if source.kind == "from" then
      return true
    end
  end
  return false
end

--- ---- the holds of the policy -------------------------------------------

--- Loads the policy for its holds: those of all its policies, or nil when it
--- cannot be asked.
local function load_holds(head)
  policy.reset()
  hold.reset()
  deletions.reset(function()
    error("the policy deletes by itself now: it is not the one that was "
      .. "planned", 0)
  end)
  ids.planned = true
  local list
  if not host.guard(function()
    list = policy.returned((host.load_policy()(table.unpack(head.args))),
                           head.policy.path)
  end) then
    return nil
  end
  return hold.of_run(list or {})
end

--- The sources of holds as the policy has them now; nil when it failed. Files
--- are beside the policy, also for a script.
local function holds_of(head)
  local source = same_text("policy", head.policy)
  host.use_policy(head.policy.path, source or "")
  for _, module in ipairs(head.modules or {}) do
    same_text("module", module)
  end
  local needed = asks_functions(head.hold)
  for _, about in ipairs(head.policies) do
    needed = needed or asks_functions(about.hold)
  end
  if head.vetoes and not head.declared then
    refuse("its script has a before_delete, which only the script can ask: "
           .. "run the policy itself")
  elseif asks_functions(head.hold) then
    refuse("its script holds requests by a function, which only the script "
           .. "can ask: run the policy itself")
  elseif (needed or head.vetoes) and not source then
    refuse("its policy %s, which must be asked for %s, is not there",
           head.policy.path, needed and "holds" or "its before_delete")
  end
  if not head.declared or not source then
    return {}
  end
  local holds = load_holds(head)
  if holds and needed and not hold.asks(holds) then
    refuse("its policy %s does not hold by a function any more",
           head.policy.path)
  elseif holds and head.vetoes and not hooks.vetoes() then
    refuse("its policy %s has no before_delete any more", head.policy.path)
  end
  return holds
end

--- The policy's sources as it has them now, and files and marks that the plan
--- names: what a plan was made with counts even if the policy is gone.
local function all_holds(file)
  local about = { { hold = file.holds },
                  { hold = hold.of_plan(file.head.hold) } }
  for _, one in ipairs(file.head.policies) do
    about[#about + 1] = { hold = hold.of_plan(one.hold) }
  end
  return hold.of_run(about)
end

--- ---- the plan as the runner takes it -----------------------------------

--- Plans, one for each policy that the file names, in its order.
local function plans_of(file)
  local plans, index, asks = {}, {},
    hold.asks(file.holds) or hooks.vetoes()
  local verify = {}
  for _, about in ipairs(file.head.policies) do
    verify[about.name] = about.verify == true
  end
  for _, item in ipairs(file.items) do
    local name = item.policy or ""
    if not index[name] then
      index[name] = plan.new { name = item.policy, reason = item.reason,
                               verify = verify[name] }
      index[name].holds = file.holds
      plans[#plans + 1] = index[name]
    end
    local ended = item.ended_at and core.parse_time(item.ended_at)
    local at = index[name]:add(item.request_id, item, ended, item.reason)
    if asks or verify[name] then
      index[name].rows[at] = recheck.row(file, item)
    end
  end
  return plans
end

--- How many of its items an apply before this one, or settling, deleted.
local function deleted_of(file)
  local count = 0
  for _, item in ipairs(file.items) do
    if core.preview(item.request_id) == "already_deleted" then
      count = count + 1
    end
  end
  return count
end

local function unknown_of(file)
  local unknown = 0
  for _, about in ipairs(file.head.policies) do
    local totals = about.totals
    unknown = unknown + totals.scanned - totals.already_deleted
  end
  return unknown
end

--- What a policy hides first is erased while it is hidden and not after: what
--- was released since the plan was made begins again, in a run.
local function hold_shown(file, view)
  local actions = {}
  for _, about in ipairs(file.head.policies) do
    actions[about.name] = quarantine.action(about.action)
  end
  for _, item in ipairs(file.items) do
    local action, id = actions[item.policy or ""], item.request_id
    local fate, words = nil, nil
    if action and core.preview(id) ~= "already_deleted" then
      fate, words = view:fate(id, action, core.at())
    end
    if fate then
      core.hold_id(id, words)
    end
  end
end

local function apply(file)
  local view = quarantine.view(host)
  file.holds = all_holds(file)
  if not hold.open(file.holds) then
    return
  end
  unsettled.hold(host, file.holds)
  report.settle(host)
  recheck.run(file)
  hold_shown(file, view)
  local done = deleted_of(file)
  if host.stopped() or not core.declare { planned = #file.items - done,
    scanned = math.max(unknown_of(file) - done, 0) } then
    return
  end
  local now_ms = core.at()
  file.plans = plans_of(file)
  if not host.options.quiet then
    core.log.info(("plan %s of %s: %s will be erased, unless held"):format(
      path, file.head.created_at, text.count(#file.items, "request",
                                             "requests")))
  end
  core.phase("deleting", #file.items - done)
  for _, made in ipairs(file.plans) do
    made.outcomes = {}
    runner.delete(made, now_ms)
  end
end

local function run()
  local _, words = cli.parse(host, "apply", {})
  if #words ~= 1 then
    host.usage("falrun apply takes one plan file, as falrun plan POLICY.lua "
               .. "-o FILE writes it")
  end
  local began, failures = core.now(), {}
  hooks.begin(host)
  path = words[1]
  local file, digest = planfile.read(host, path)
  check_head(file.head)
  if host.options["max-percent"] and not file.head.declared then
    host.usage("--max-percent needs the plan of a declarative policy")
  end
  file.holds = holds_of(file.head)
  if not file.holds then
    return
  end
  host.observe(hooks.watcher(failures, report.watcher(host)),
               not host.options.verbose)
  host.note("plan", { path = path, sha256 = digest,
                      policy = file.head.policy })
  host.guard(apply, file)
  if file.plans and file.head.declared then
    host.note("policies", summary.note(file.plans))
  end
  if hooks.told() then
    ending.run(host, { began = began, failures = failures,
                       plans = file.plans })
  end
  report.finish(host, began, host.options.json, file)
end

return {
  summary = "delete exactly what a plan file lists",
  usage = "falrun apply [options] FILE",
  help = [[
Takes a file that falrun plan POLICY.lua -o FILE wrote, and deletes what it
lists, nothing else: holds, the ledger and the limits apply as in any run.

Before that each item is listed again. One that is not listed any more, or
whose end, status or endpoint is another than the plan says, is left alone and
recorded as held. A plan that is damaged, expired (24 hours, or what plan
--expires said), of another account, or whose policy or modules have changed
is refused (exit 2), and nothing is deleted.

Examples:
  falrun plan older-than.lua -o tonight.plan
  falrun apply tonight.plan
]],
  run_options = true,
  options = {},
  run = run,
}
