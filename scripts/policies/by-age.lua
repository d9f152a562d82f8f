--- Everything that ended more than a number of days ago is erased.
---
---   falrun by-age.lua            30 days, all endpoints
---   falrun by-age.lua 90d        90 days
---
--- The rule that most companies write down. "auto" finds the endpoints by
--- usage and billing events, which needs the admin key.

local age = arg[1] or "30d"

return fal.policy {
  name = "by-age",
  select = fal.requests { endpoint_id = "auto", older_than = age },
  limits = { max = 10000, growth = 5 }, -- a wrong date would select it all
  reason = "retention: erased after " .. age,
}
