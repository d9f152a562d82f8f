--- What a declared policy says of one request: each step with the values it
--- saw, the verdict, and the day on which the request will be erased.
---
--- That day is found by asking the rules again with later times as `now`:
--- they are functions of the request and of now. What depends on requests
--- that do not exist yet (keep the last 100) has no date.
local core = require "core"
local hold = require "fal.hold"
local keep = require "fal.keep"
local limits = require "fal.limits"
local requests = require "fal.requests"
local selection = require "fal.selection"
local text = require "fal.text"
local time = require "fal.time"

local explain = {}

local DAY <const> = 86400000
local HORIZON <const> = 3700    -- days ahead that are looked at
local SHOWN <const> = 5

local function clock(ms)
  return core.format_time(ms // 1000 * 1000)
end

local function add(found, step, verdict, format, ...)
  found.steps[#found.steps + 1] = { step = step, verdict = verdict,
    saw = select("#", ...) > 0 and format:format(...) or format or "" }
end

--- ---- the request -----------------------------------------------------------

--- The request as the API lists it now, by itself; nil when it does not.
local function find(list, id)
  return requests.list { endpoint_id = list.endpoints, request_id = id }()
end

local function window_of(list)
  local parts = { ("ended before %s%s"):format(clock(list.before),
    list.older_than and (" (older than %s)"):format(list.older_than) or "") }
  if list.after then
    parts[#parts + 1] = "not before " .. clock(list.after)
  end
  if list.status then
    parts[#parts + 1] = "status " .. list.status
  end
  local names = list.endpoints
  if type(names) == "table" then
    names = table.concat(names, ", ", 1, math.min(#names, SHOWN))
  end
  parts[#parts + 1] = "endpoint " .. names
  return table.concat(parts, ", ")
end

local function facts_of(request, now_ms)
  local ended = core.parse_time(request.ended_at)
  return ("it ended %s, %s ago, status %s, %s"):format(request.ended_at,
    text.age((now_ms - ended) // 1000), request.status_code or "unknown",
    request.endpoint_id)
end

--- ---- the steps -------------------------------------------------------------

local function explain_select(found, list, now_ms)
  if not list then
    add(found, "select", "", "a list of ids or an iterator of the policy's "
        .. "own")
  elseif not found.request then
    add(found, "select", "no", "the API does not list it for this selection")
  else
    found.ended = core.parse_time(found.request.ended_at)
    local has = selection.has(list, found.request, found.ended)
    add(found, "select", has and "yes" or "no", "%s; %s", window_of(list),
        facts_of(found.request, now_ms))
  end
end

--- What where says at a time; an error counts as no, and is told.
local function where_says(made, request, at_ms)
  if not made.where then
    return true
  end
  time.pin(at_ms)
  local ok, says = pcall(made.where, request, clock(at_ms))
  time.pin(nil)
  if not ok then
    return false, tostring(says)
  end
  return says and true or false
end

local function explain_where(found, made, now_ms)
  if not made.where then
    add(found, "where", "yes", "the policy has none")
  elseif found.request then
    local says, err = where_says(made, found.request, now_ms)
    add(found, "where", says and "yes" or "no", err or "its where, with now "
        .. clock(now_ms))
  end
end

local function fate_of(plan, id)
  for at = 1, plan.size do
    if plan.ids[at] == id then
      return plan.fates[at] or "planned", plan.words[at]
    end
  end
end

local function explain_keep(found, plan)
  local made = plan.policy
  if not made.keep then
    return
  elseif found.fate == "kept" then
    add(found, "keep", "kept", "%s: %s", keep.describe(made.keep),
        found.words)
  else
    add(found, "keep", found.fate and "no" or "not asked",
        keep.describe(made.keep))
  end
end

local function explain_holds(found, plan, id, now_ms, ledger_hold)
  local _, _, held = core.preview(id)
  for _, about in ipairs(hold.describe(plan.holds)) do
    if about.kind ~= "from" then
      local its = not ledger_hold and held and
        held:find(about.title, 1, true)
      add(found, "hold", its and "held" or "no", its and held or about.title)
    end
  end
  local reason = found.request and
    hold.ask(plan.holds, found.request, clock(now_ms), id)
  if hold.asks(plan.holds) then
    add(found, "hold", reason and "held" or "no", reason or
        "the functions of the policy")
  end
  if ledger_hold then
    add(found, "hold", "held", "falrun hold: %s", ledger_hold)
  end
  found.held = held ~= nil or reason ~= nil
end

local function explain_limits(found, plan, history)
  for _, one in ipairs(limits.figures(plan, history)) do
    add(found, "limit", "", "%s %s%s", one.name, one.limit, one.figure and
        (", this plan: %s"):format(("%.1f"):format(one.figure)
          :gsub("%.0$", "")) or one.name == "growth" and
        ", no earlier run to compare with" or "")
  end
end

--- ---- the day ---------------------------------------------------------------

--- Whether the rules that need no other request let it go at `at`.
local function lets_go(found, plan, floor_ms, at)
  local made, list = plan.policy, plan.policy.selection
  local age = at - found.ended
  local older = list and list.older_than and
    core.parse_duration(list.older_than)
  local kept_until = made.keep and keep.horizon(made.keep)
  return age >= floor_ms and age >= (made.limits.min_age or 0)
    and (not older or age > older)
    and (older or not list or found.ended < list.before)
    and (not list or not list.after or found.ended >= list.after)
    and (not kept_until or age > kept_until)
    and where_says(made, found.request, at)
end

--- The first midnight (UTC) from now on at which the rules let it go.
local function first_day(found, plan, floor_ms, now_ms)
  for day = 0, HORIZON do
    local at = day == 0 and now_ms or (now_ms // DAY + day) * DAY
    if lets_go(found, plan, floor_ms, at) then
      return at
    end
  end
end

local function set_date(found, plan, floor_ms, now_ms)
  if found.already or not found.request then
    return
  elseif found.fate == "kept" and not keep.horizon(plan.policy.keep) then
    found.when = "when newer requests have pushed it out of: " .. found.words
    return
  end
  local at = first_day(found, plan, floor_ms, now_ms)
  local counted = plan.policy.keep and found.fate ~= "planned" and
    not keep.horizon(plan.policy.keep)
  local unless = counted and ", unless its keep rules keep it then" or ""
  local held = found.held and "as soon as the hold is lifted, and " or ""
  found.erased_at = at and clock(at)
  if not at then
    found.when = "not within the next ten years by these rules"
  elseif at == now_ms then
    found.when = held .. "by the next run"
  else
    found.when = held .. "by the first run from " .. clock(at) .. " on"
      .. unless
  end
end

local function set_verdict(found, plan, id)
  local state = core.preview(id)
  found.already = state == "already_deleted"
  if found.already then
    found.verdict = "already deleted, as the ledger says"
  elseif found.held or found.fate == "held" then
    found.verdict = "held"
  elseif found.fate == "kept" then
    found.verdict = "kept: " .. found.words
  elseif found.fate == "planned" then
    found.verdict = "would be erased"
  elseif found.fate then
    found.verdict = found.fate .. ": " .. (found.words or "")
  else
    found.verdict = "not erased: " .. (plan.notes[id] or "not selected")
  end
end

--- Explains one request by one plan (made with notes). Waits.
---@param plan table      of planner.lua
---@param id string
---@param options {now_ms:integer, floor_ms:integer, history:function,
---  hold:string?}   hold: the reason of the ledger's own hold
---@return {policy:string, steps:table[], verdict:string, when:string?,
---  erased_at:string?}
function explain.request(plan, id, options)
  local made, now_ms = plan.policy, options.now_ms
  local found = { policy = made.name, steps = {} }
  found.request = made.selection and find(made.selection, id)
  found.fate, found.words = fate_of(plan, id)
  explain_select(found, made.selection, now_ms)
  explain_where(found, made, now_ms)
  explain_keep(found, plan)
  explain_holds(found, plan, id, now_ms, options.hold)
  explain_limits(found, plan, options.history)
  set_verdict(found, plan, id)
  set_date(found, plan, options.floor_ms, now_ms)
  return { policy = found.policy, steps = found.steps,
           verdict = found.verdict, when = found.when,
           erased_at = found.erased_at }
end

return explain
