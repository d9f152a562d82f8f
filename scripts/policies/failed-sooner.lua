#!/usr/bin/env falrun
--- Failed requests go after a week, all others after a month.
---
---   falrun failed-sooner.lua [ENDPOINT]
---
--- Two rules in one policy: each has its reason, and the ledger keeps it.

local endpoint = arg[1] or "auto"

local rules = {
  { status = "error", age = "7d", reason = "failed: erased after 7 days" },
  { age = "30d", reason = "erased after 30 days" },
}

for _, rule in ipairs(rules) do
  fal.delete_all(fal.requests {
    endpoint_id = endpoint,
    older_than = rule.age,
    status = rule.status,
  }, { reason = rule.reason })
end
