--- What plans amount to: a few lines before the deletion, and the figures
--- that the ledger keeps of a run.
local core = require "core"
local text = require "fal.text"

local summary = {}

local SHOWN <const> = 5
local ON_ITS_WAY <const> = 2048  -- a flight is at most half as wide

--- "a 12, b 3 and 4 more", largest first.
local function largest(counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then
      return counts[a] > counts[b]
    end
    return a < b
  end)
  local parts = {}
  for i = 1, math.min(#names, SHOWN) do
    parts[i] = ("%s %s"):format(text.clean(names[i]),
                                text.number(counts[names[i]]))
  end
  local left = #names - #parts
  return table.concat(parts, ", ") ..
    (left > 0 and (" and %d more"):format(left) or "")
end

local function by_endpoint(plan)
  local counts = {}
  for _, at in ipairs(plan:order()) do
    local name = plan.endpoints[at] or "(not listed)"
    counts[name] = (counts[name] or 0) + 1
  end
  return counts
end

local function rest_of(totals)
  local parts = {}
  for _, pair in ipairs {
    { "kept", "kept by its rules" }, { "held", "held" },
    { "quarantine", "to be put into quarantine" },
    { "open", "not settled yet" },
    { "passed_over", "passed over by its where" },
    { "taken", "taken by a policy before it" },
    { "already_deleted", "already deleted" } } do
    if (totals[pair[1]] or 0) > 0 then
      parts[#parts + 1] = text.number(totals[pair[1]]) .. " " .. pair[2]
    end
  end
  return table.concat(parts, ", ")
end

local function show_one(plan, verb)
  local totals = plan:totals()
  core.log.info(("policy %s: %s of %s scanned %s erased"):format(totals.name,
    text.number(totals.planned), text.number(totals.scanned), verb))
  local rest = rest_of(totals)
  if rest ~= "" then
    core.log.info("  not erased: " .. rest)
  end
  if totals.oldest then
    core.log.info(("  ended from %s to %s"):format(totals.oldest,
      totals.newest or "an unknown time"))
  end
  if totals.planned > 0 then
    core.log.info("  endpoints: " .. largest(by_endpoint(plan)))
  end
end

--- Lines on standard error, before anything is deleted; none with --quiet.
function summary.show(host, plans)
  for _, plan in ipairs(host.options.quiet and {} or plans) do
    show_one(plan, core.mode == "run" and "will be" or "would be")
  end
end

--- Whether each that was handed on has come back with an answer.
local function all_answered(plan, handed)
  local answered = 0
  for status, count in pairs(plan.outcomes or {}) do
    answered = answered + (status ~= "refused" and count or 0)
  end
  return answered == handed
end

--- How many of a plan were neither deleted nor tried, because a limit, a signal
--- or a no came before; and when the oldest of them ended. What was on its way
--- at that moment is asked about one by one, because its answers may have come
--- when nobody waited for them any more. What failed, the ledger knows.
local function left_of(plan)
  local order, handed = plan:order(), plan.handed or 0
  local left, first, back = #order - handed, handed + 1, 0
  local least = all_answered(plan, handed) and handed + 1 or
    math.max(1, handed - ON_ITS_WAY)
  for place = handed, least, -1 do
    local fate = core.preview(plan.ids[order[place]])
    if fate == "refused" or fate == "planned" then
      back, first = back + 1, place
    end
  end
  left = left + math.max(back - (plan.outcomes and plan.outcomes.failed or 0),
                         0)
  local oldest = left > 0 and plan.ended[order[first]]
  return left, oldest and core.format_time(oldest // 1000 * 1000) or nil
end

--- name -> figures, for the summary of the run in the ledger.
function summary.note(plans)
  local note = {}
  for _, plan in ipairs(plans) do
    local totals = plan:totals()
    local left, oldest_left = left_of(plan)
    note[totals.name] = {
      left = left, oldest_left = oldest_left,
      scanned = totals.scanned, planned = totals.planned,
      kept = totals.kept, held = totals.held,
      already_deleted = totals.already_deleted,
      quarantine = totals.quarantine,
      deleted = plan.outcomes and plan.outcomes.deleted or 0,
    }
  end
  return note
end

--- What earlier runs of a policy deleted, newest first, without those that
--- deleted nothing (limits.lua asks).
function summary.history(host)
  return function(name, most)
    local counts = {}
    for _, run in ipairs(host.ledger.runs(1000)) do
      local note = type(run.summary) == "table" and run.summary.policies
      local deleted = type(note) == "table" and note[name] and
        note[name].deleted
      if math.type(deleted) == "integer" and deleted > 0 and
        #counts < most then
        counts[#counts + 1] = deleted
      end
    end
    return counts
  end
end

return summary
