--- Deletes on weekends only, and never more than a budget in one run; the
--- oldest go first, and the rest waits for the next weekend.
---
---   falrun weekend-budget.lua [BUDGET]          2,000 a run
---
--- A script, not a declaration: a limit would stop the run as an error, and a
--- budget is none. It counts what was really deleted and then leaves off.

local budget = math.tointeger(tonumber(arg[1] or 2000))
assert(budget and budget > 0, "the budget is a whole number")

--- 0 is Sunday, 6 is Saturday (Sakamoto's method), in UTC.
local function weekday(now)
  local y, m, d = now:match "^(%d+)-(%d+)-(%d+)"
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  local shift = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 }
  y = m < 3 and y - 1 or y
  return math.tointeger((y + y // 4 - y // 100 + y // 400 + shift[m] + d)
    % 7)
end

local today = weekday(fal.ago "0s")
if today ~= 0 and today ~= 6 then
  log.info "not a weekend: nothing to do"
  return
end

fal.limits { max = budget }
local left = budget
for request in fal.requests { endpoint_id = "auto", older_than = "30d" } do
  local result, err = fal.delete_payloads(request.request_id, {
    reason = "erased after 30 days, on weekends" })
  if result and result.status ~= "already_deleted" then
    left = left - 1
  end
  if left == 0 or (err and err.status == "refused") then
    break
  end
end
