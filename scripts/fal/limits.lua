--- The limits of a declared policy, held against its plan.
---
--- Each says which limit it is, the figure, and how to raise it. They are
--- checked before the first deletion; the run's own (--max-deletes,
--- --max-percent, --min-age) are the gate's, below Lua, and come on top.
local core = require "core"
local text = require "fal.text"

local limits = {}

local RUNS <const> = 10

local function requests(n)
  return text.count(n, "request", "requests")
end

local function exceeds_max(plan, most)
  if plan:planned() > most then
    return ("it selects %s, and its limits.max is %s; narrow it, or raise "
      .. "max"):format(requests(plan:planned()), text.number(most))
  end
end

local function exceeds_percent(plan, percent)
  local planned, whole = plan:planned(), plan:unknown()
  if planned * 100 > percent * whole then
    return ("it selects %s of %s that are still there, which is %.1f percent,"
      .. " and its limits.percent is %g; narrow it, or raise percent"):format(
      text.number(planned), requests(whole), planned * 100 / whole, percent)
  end
end

local function median(list)
  table.sort(list)
  local middle = (#list + 1) // 2
  if #list % 2 == 1 then
    return list[middle]
  end
  return (list[middle] + list[middle + 1]) / 2
end

--- What the latest runs of this policy deleted, newest first; runs that had
--- nothing to delete say nothing about the usual number.
local function exceeds_growth(plan, growth, history)
  local counts = history(plan.policy.name, RUNS)
  if #counts == 0 then
    return nil
  end
  local usual = median(counts)
  if plan:planned() > growth * usual then
    return ("it selects %s, more than %g times the %g that its last %s "
      .. "deleted (the median), and its limits.growth is %g; look at what "
      .. "has changed, or raise growth"):format(requests(plan:planned()),
      growth, usual, text.count(#counts, "run", "runs"), growth)
  end
end

local function below_scanned(plan, least)
  if plan.scanned < least then
    return ("its selection has %s, and its limits.min_scanned is %s: a short "
      .. "list is suspicious; look at the endpoints and the window, or lower "
      .. "min_scanned"):format(requests(plan.scanned), text.number(least))
  end
end

--- When it ended, or the time inside a version 7 id where that is younger;
--- nil when neither is known.
local function end_of(plan, at)
  local id, ended = plan.ids[at], plan.ended[at] or nil
  local made = id:sub(15, 15) == "7" and
    tonumber(id:sub(1, 8) .. id:sub(10, 13), 16) or nil
  return made and math.max(made, ended or made) or ended
end

local function below_age(plan, least, now_ms)
  local count, youngest, latest = 0, nil, nil
  for at = 1, plan.size do
    local ended = not plan.fates[at] and end_of(plan, at)
    if ended and now_ms - ended < least then
      count = count + 1
      if not latest or ended > latest then
        youngest, latest = at, ended
      end
    end
  end
  if count > 0 then
    return ("it selects %s younger than its limits.min_age of %s (%s ended "
      .. "at %s); narrow the selection, or lower min_age"):format(
      requests(count), plan.policy.limits.min_age_text, plan.ids[youngest],
      core.format_time(latest))
  end
end

--- What the gate said to single requests while they were planned.
local function below_floor(plan)
  local young = plan.too_young
  if young.count then
    return ("it selects %s younger than the age floor of the run (%s ended "
      .. "at %s); narrow the selection, or lower --min-age"):format(
      requests(young.count), young.id, core.format_time(young.ended))
  end
end

--- Sentences about the limits that this plan passes; none is fine.
---@param history fun(name:string, most:integer): integer[]   deletions of
---  the policy's earlier runs, newest first, without those that had none
function limits.broken(plan, now_ms, history)
  local set, list = plan.policy.limits, {}
  local function add(sentence)
    list[#list + 1] = sentence and ("policy '%s' was stopped: %s; nothing "
      .. "was deleted"):format(plan.policy.name, sentence)
  end
  add(set.min_scanned and below_scanned(plan, set.min_scanned))
  add(set.max and exceeds_max(plan, set.max))
  add(set.percent and exceeds_percent(plan, set.percent))
  add(set.growth and exceeds_growth(plan, set.growth, history))
  add(set.min_age and below_age(plan, set.min_age, now_ms))
  add(below_floor(plan))
  return list
end

--- Each limit of the plan's policy with the figure it is held against, as
--- {name, limit, figure}, for explain.
function limits.figures(plan, history)
  local set, list = plan.policy.limits, {}
  local planned, whole = plan:planned(), plan:unknown()
  local function add(name, figure)
    if set[name] then
      list[#list + 1] = { name = name, limit = name == "min_age" and
        set.min_age_text or set[name], figure = figure }
    end
  end
  add("max", planned)
  add("percent", whole > 0 and planned * 100 / whole or 0)
  local counts = set.growth and history(plan.policy.name, RUNS) or {}
  add("growth", counts[1] and planned / median(counts) or nil)
  add("min_scanned", plan.scanned)
  add("min_age", nil)
  return list
end

--- The limits as a plan file and `--json` have them.
function limits.describe(set)
  return { max = set.max, percent = set.percent, growth = set.growth,
           min_scanned = set.min_scanned, min_age = set.min_age_text }
end

return limits
