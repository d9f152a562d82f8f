--- The list of a plan: collected from a script's deletions or from declared
--- policies, compared with an earlier one, and shown.
local core = require "core"
local facts = require "fal.facts"
local limits = require "fal.limits"
local hold = require "fal.hold"
local hooks = require "fal.hooks"
local keep = require "fal.keep"
local planfile = require "fal.planfile"
local report = require "fal.report"
local text = require "fal.text"

local planlist = {}

local ROWS_KEPT <const> = planfile.MOST

local PLANNED <const> = {
  { title = "REQUEST ID", always = true },
  { title = "ENDED" },
  { title = "AGE", right = true },
  { title = "ENDPOINT", shrink = true },
  { title = "REASON", shrink = true },
}
local OTHERS <const> = {
  { title = "REQUEST ID", always = true },
  { title = "ENDPOINT", shrink = true },
  { title = "WHY", shrink = true },
}

local function put(rows, row)
  if #rows < ROWS_KEPT then
    rows[#rows + 1] = row
  end
end

local function hold_reasons(host)
  local reasons = {}
  for _, held in ipairs(host.ledger.holds()) do
    reasons[held.request_id] = held.reason
  end
  return reasons
end

--- ---- collecting ------------------------------------------------------------

--- What the gate said of one deletion that a script asked for.
local function observe(list, id, result, err)
  local outcome = result or err
  if outcome.status == "planned" then
    local endpoint, ended = facts.of(id)
    put(list.planned, { request_id = id, endpoint_id = endpoint,
                        ended_at = ended, reason = outcome.reason,
                        age_seconds = outcome.age and outcome.age // 1 })
  elseif outcome.status == "held" then
    put(list.held, { request_id = id, reason = list.holds[id]
                     or err.message:match("a hold covers it %((.*)%)") })
  elseif err then
    put(list.refused, { request_id = id, status = err.status,
                        kind = err.kind, message = err.message })
  end
end

local function age_of(item, now)
  local ended = item.ended_at and core.parse_time(item.ended_at)
  return ended and (now - ended) // 1000
end

--- Declared policies know more than the gate says: their facts replace what
--- was collected on the way, and kept and held items come with their words.
local function take(list, plans)
  list.planned, list.kept, list.policies = {}, {}, {}
  list.quarantine = {}
  local now = core.at()
  for i, plan in ipairs(plans) do
    plan:each(nil, function(item)
      item.age_seconds = age_of(item, now)
      put(list.planned, item)
    end)
    plan:each("kept", function(item, words)
      put(list.kept, { request_id = item.request_id, rule = words,
                       endpoint_id = item.endpoint_id,
                       ended_at = item.ended_at, policy = item.policy })
    end)
    plan:each("held", function(item, words)
      put(list.held, { request_id = item.request_id, policy = item.policy,
        reason = words,
        endpoint_id = item.endpoint_id })
    end)
    plan:each("quarantine", function(item, words)
      put(list.quarantine, { request_id = item.request_id, reason = words,
                             endpoint_id = item.endpoint_id,
                             policy = item.policy })
    end)
    list.policies[i] = plan:totals()
  end
end

--- What an earlier plan has and this one has not, the other way round, and
--- what has another reason.
local function compare(list, before)
  local old = {}
  for _, item in ipairs(before.items) do
    old[item.request_id] = item
  end
  local diff = { new = {}, gone = {}, changed = {} }
  for _, item in ipairs(list.planned) do
    local was = old[item.request_id]
    old[item.request_id] = nil
    if not was then
      put(diff.new, item)
    elseif was.reason ~= item.reason or was.policy ~= item.policy then
      item.reason_before = was.reason
      put(diff.changed, item)
    end
  end
  for _, item in ipairs(before.items) do
    if old[item.request_id] then
      put(diff.gone, item)
    end
  end
  list.diff = diff
end

--- ---- as JSON ---------------------------------------------------------------

local function totals(host, list)
  local counts = host.counts()
  return {
    planned = counts.planned, already_deleted = counts.already_deleted,
    held = math.max(counts.held, #list.held), refused = counts.refused,
    failed = counts.failed, partial = counts.partial,
    age_unknown = counts.age_unknown, listed = #list.planned,
    kept = list.kept and #list.kept or nil,
  }
end

local function print_json(host, list)
  local stopped, sentence = host.stopped()
  local diff = list.diff
  host.write(core.json.encode {
    planned = core.json.array(list.planned),
    held = core.json.array(list.held),
    kept = list.kept and core.json.array(list.kept),
    quarantine = list.quarantine and list.quarantine[1] and
      core.json.array(list.quarantine) or nil,
    refused = core.json.array(list.refused),
    already_deleted = host.counts().already_deleted,
    totals = totals(host, list),
    policies = list.policies and core.json.array(list.policies),
    stopped = stopped and sentence or nil,
    diff = diff and { new = core.json.array(diff.new),
                      gone = core.json.array(diff.gone),
                      changed = core.json.array(diff.changed) },
  } .. "\n")
end

--- ---- as tables -------------------------------------------------------------

local function planned_row(item)
  return { item.request_id, item.ended_at,
           item.age_seconds and text.age(item.age_seconds),
           item.endpoint_id, item.reason_before and
           ("%s (before: %s)"):format(item.reason, item.reason_before)
           or item.reason }
end

local function other_row(item)
  return { item.request_id, item.endpoint_id, item.rule or item.reason }
end

local function print_rows(host, title, columns, items, row_of)
  local rows = {}
  for i, item in ipairs(items) do
    rows[i] = row_of(item)
  end
  if rows[1] then
    host.write(title)
    text.table(host, columns, rows)
  end
end

local function print_diff(host, diff)
  print_rows(host, "New:\n", PLANNED, diff.new, planned_row)
  print_rows(host, "\nGone:\n", PLANNED, diff.gone, planned_row)
  print_rows(host, "\nWith another reason:\n", PLANNED, diff.changed,
             planned_row)
  host.write(("%s%d new, %d gone, %d with another reason\n"):format(
    (diff.new[1] or diff.gone[1] or diff.changed[1]) and "\n" or "",
    #diff.new, #diff.gone, #diff.changed))
end

local function print_lists(host, list)
  print_rows(host, "", PLANNED, list.planned, planned_row)
  local left = host.counts().planned - #list.planned
  if left > 0 then
    host.write(("... and %s more that are not shown\n"):format(
      text.number(left)))
  end
  print_rows(host, "\nKept:\n", OTHERS, list.kept or {}, other_row)
  print_rows(host, "\nTo be put into quarantine:\n", OTHERS,
             list.quarantine or {}, other_row)
  print_rows(host, "\nHeld:\n", OTHERS, list.held, other_row)
  if list.refused[1] then
    host.write("\nWould not be deleted:\n")
  end
  for _, item in ipairs(list.refused) do
    host.write(text.clean(item.message) .. "\n")
  end
end

local function print_text(host, list)
  if list.diff then
    print_diff(host, list.diff)
    return
  end
  print_lists(host, list)
  local any = list.planned[1] or list.held[1] or list.refused[1] or
    (list.kept and list.kept[1]) or (list.quarantine and list.quarantine[1])
  local counts = host.counts()
  local selected = 0
  for _, about in ipairs(list.policies or {}) do
    selected = selected + about.planned
  end
  if host.stopped() and counts.planned == 0 and selected > 0 then
    host.write(("\na run would stop before its first deletion: %s selected, "
      .. "none planned; nothing was deleted\n"):format(text.number(selected)))
    return
  end
  counts.held = math.max(counts.held, #list.held)
  host.write(("%s%s%s; nothing was deleted\n"):format(any and "\n" or "",
    report.counts(counts, "planned"), list.kept and list.kept[1] and
    (", kept " .. text.number(#list.kept)) or ""))
end

--- ---- the list --------------------------------------------------------------

--- A list to be filled: observe(id, result, err) and take(plans), then
--- compare(plan of a file) and print().
function planlist.new(host)
  local list = { planned = {}, held = {}, refused = {},
                 holds = hold_reasons(host) }
  function list.observe(id, result, err)
    observe(list, id, result, err)
  end
  function list.take(plans)
    if plans then
      take(list, plans)
    end
  end
  function list.compare(before)
    compare(list, before)
  end
  function list.print()
    if host.options.json then
      print_json(host, list)
    else
      print_text(host, list)
    end
  end
  return list
end

local function policies_of(outcome)
  local list = {}
  for i, plan in ipairs(outcome.plans or {}) do
    local made = plan.policy
    list[i] = {
      name = made.name, limits = limits.describe(made.limits),
      keep = made.keep and keep.describe(made.keep),
      verify = made.verify or nil,
      action = made.action and { quarantine = "0d",
                                 delete_after = made.action.grace },
      hold = core.json.array(hold.describe(made.hold)),
      totals = plan:totals(),
    }
  end
  return list
end

--- The head of a plan file.
function planlist.head(host, outcome, expires_ms)
  local now = outcome.now_ms or core.at()
  return {
    created_at = core.format_time(now // 1000 * 1000),
    expires_at = core.format_time((now + expires_ms) // 1000 * 1000),
    falrun = host.version, origin = host.origin,
    policy = { path = host.policy.path, sha256 = host.policy.sha256 },
    modules = core.json.array(host.modules()),
    args = core.json.array(host.args),
    policies = core.json.array(policies_of(outcome)),
    hold = core.json.array(hold.describe(hold.enforced())),
    declared = outcome.plans ~= nil,
    vetoes = hooks.vetoes() or nil,
  }
end

return planlist
