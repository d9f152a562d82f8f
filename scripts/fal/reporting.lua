--- What runs did, added up from the events of the ledger.
---
---   runs --> events of each --> outcomes by day, endpoint, evidence, cause
---        \-> summary, options --> kept, limits
---
--- A request that several runs worked at counts in each of them. In memory
--- are the counts, the intents without an outcome so far, and a bounded list
--- of what was not deleted.
local core = require "core"
local story = require "fal.story"

local reporting = {}

local LEFT_MOST <const> = 500           -- requests that are listed
local CAUSES_MOST <const> = 50
local RESIDUE_MOST <const> = 200
local POINTS <const> = 120              -- of the rate over time
local UNKNOWN <const> = "not recorded"

--- In this order everywhere. `unsent` was announced and taken back.
reporting.OUTCOMES = { "deleted", "gone", "partial", "held", "refused",
                       "failed", "open", "unsent" }

local function count(into, name, by)
  into[name] = (into[name] or 0) + (by or 1)
end

--- into[name][outcome] + 1, and the names in their order.
local function count_of(into, name, outcome)
  if not into.of[name] then
    into.of[name] = {}
    into.names[#into.names + 1] = name
  end
  count(into.of[name], outcome)
end

local function group()
  return { of = {}, names = {} }
end

--- {{name, outcome = count ...}...}, in the order of `before`.
local function listed(found, field, before)
  local rows = core.json.array {}
  table.sort(found.names, before)
  for i, name in ipairs(found.names) do
    local row = found.of[name]
    row[field] = name
    rows[i] = row
  end
  return rows
end

local function total(row)
  local sum = 0
  for _, name in ipairs(reporting.OUTCOMES) do
    sum = sum + (row[name] or 0)
  end
  return sum
end

--- The more, the earlier.
local function by_size(found)
  return function(a, b)
    local left, right = total(found.of[a]), total(found.of[b])
    if left ~= right then
      return left > right
    end
    return a < b
  end
end

-- ---- events ----------------------------------------------------------------

--- Why it was not deleted: a word and what is known beyond it.
local function cause_of(outcome, event)
  local data = event.data
  if outcome == "held" then
    return story.value(data.reason) or "a hold"
  elseif outcome == "partial" then
    return "fal could not delete some of its files"
  elseif outcome == "open" then
    return "its outcome is not known; the next run settles it"
  end
  local kind, status = story.value(data.kind), story.value(data.http_status)
  return (kind or outcome) .. (math.type(status) == "integer" and status > 0
                               and (" (HTTP %d)"):format(status) or "")
end

local function note_left(made, run, event, outcome)
  local cause = cause_of(outcome, event)
  local causes = outcome == "held" and made.holds or made.causes
  if #causes.names < CAUSES_MOST or causes.of[cause] then
    count_of(causes, cause, outcome)
  end
  made.left_count = made.left_count + 1
  if #made.left < LEFT_MOST then
    made.left[#made.left + 1] = { request_id = event.request_id, run = run,
      outcome = outcome, cause = cause, at = event.at }
  end
end

local function note_outcome(made, event, outcome, intent)
  count(made.outcomes, outcome)
  count_of(made.days, event.at:sub(1, 10), outcome)
  count_of(made.endpoints, intent and story.value(intent.data.endpoint)
           or UNKNOWN, outcome)
end

local function note_erased(made, event)
  count(made.evidence, story.value(event.data.evidence) or UNKNOWN)
  count(made.seconds, core.parse_time(event.at) // 1000)
end

--- Calls f(run, event, outcome, intent) for each outcome, and at last for what
--- has none (event nil).
function reporting.each(host, runs, f)
  for _, run in ipairs(runs) do
    story.walk(host, run.run, function(event, outcome, intent)
      if outcome then
        f(run, event, outcome, intent)
      end
    end)
  end
end

--- Counts a run; how many requests it erased.
local function walk(host, made, run)
  local erased = 0
  reporting.each(host, { run }, function(_, event, outcome, intent)
    note_outcome(made, event or intent, outcome, intent)
    if outcome == "deleted" or outcome == "gone" then
      note_erased(made, event)
      erased = erased + 1
    elseif outcome ~= "unsent" then
      note_left(made, run.run, event or intent, outcome)
    end
  end)
  for _, change in ipairs(host.ledger.changes(run.run)) do
    count(made.changes, change.state)
  end
  return erased
end

-- ---- what follows ----------------------------------------------------------

--- How many a run deleted in each of at most 120 stretches of the same length.
local function rate_of(seconds)
  local first, last = math.huge, -math.huge
  for second in pairs(seconds) do
    first, last = math.min(first, second), math.max(last, second)
  end
  if first > last then
    return nil
  end
  local step = math.max(1, (last - first + POINTS) // POINTS)
  local points = core.json.array {}
  for at = first, last, step do
    points[#points + 1] = { at = core.format_time(at * 1000), deleted = 0 }
  end
  for second, n in pairs(seconds) do
    local point = points[(second - first) // step + 1]
    point.deleted = point.deleted + n
  end
  return { seconds = step, points = points }
end

local function add_policies(made, run)
  local note = run.summary and run.summary.policies
  for name, figures in pairs(type(note) == "table" and note or {}) do
    for word, n in pairs(type(figures) == "table" and figures or {}) do
      if math.type(n) == "integer" and word ~= "left" then
        made.policies.of[name] = made.policies.of[name] or {}
        count(made.policies.of[name], word, n)
      end
    end
  end
end

--- How near a run came to its limit: a share of 1, or nil.
local function nearness(run, erased)
  local most = run.options and story.value(run.options.max_deletes)
  return math.type(most) == "integer" and most > 0 and erased / most or nil
end

local function describe(run, erased)
  local took = story.took(run)
  return { run = run.run, command = run.command, policy = run.policy,
           policy_sha256 = run.policy_sha256, began_at = run.began_at,
           ended_at = run.ended_at, seconds = took, exit_code = run.exit_code,
           erased = erased, max_deletes = run.options and
             run.options.max_deletes, limit_used = nearness(run, erased),
           counts = run.summary }
end

local function residue(host, made)
  local rows = host.ledger.residue()
  made.residue = { files = #rows, rows = core.json.array {} }
  for i = 1, math.min(#rows, RESIDUE_MOST) do
    made.residue.rows[i] = rows[i]
  end
  made.input_files = #host.ledger.input_files()
end

local function policies_of(found)
  local rows, names = core.json.array {}, {}
  for name in pairs(found.of) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    rows[i] = found.of[name]
    rows[i].policy = name
  end
  return rows
end

--- The outcomes that some row has, in their order.
function reporting.occurring(rows)
  local names = {}
  for _, name in ipairs(reporting.OUTCOMES) do
    for _, row in ipairs(rows) do
      if (row[name] or 0) > 0 then
        names[#names + 1] = name
        break
      end
    end
  end
  return names
end

--- Everything that a report shows.
---@param runs table[]  rows of host.ledger.runs, oldest first
function reporting.collect(host, runs)
  local made = { outcomes = {}, days = group(), endpoints = group(),
    evidence = {}, causes = group(), holds = group(), changes = {},
    policies = group(), seconds = {}, left = core.json.array {},
    left_count = 0, runs = core.json.array {}, ledger = host.ledger.path,
    made_at = core.format_time(core.at() // 1000 * 1000) }
  for i, run in ipairs(runs) do
    made.runs[i] = describe(run, walk(host, made, run))
    add_policies(made, run)
  end
  made.rate, made.seconds = rate_of(made.seconds), nil
  made.days = listed(made.days, "day")
  made.endpoints = listed(made.endpoints, "endpoint", by_size(made.endpoints))
  made.causes = listed(made.causes, "cause", by_size(made.causes))
  made.holds = listed(made.holds, "hold", by_size(made.holds))
  made.policies = policies_of(made.policies)
  made.open_now, made.held_now = #host.ledger.open(), #host.ledger.holds()
  residue(host, made)
  return made
end

return reporting
