--- Failed requests go after a week, all others after a month.
---
---   falrun failed-sooner.lua [ENDPOINT]
---
--- A failed request holds the customer's input and no result that anybody
--- wants. Two policies: each has its name and reason, and the ledger keeps
--- both.

local endpoint = arg[1] or "auto"

return {
  fal.policy {
    name = "failed-7d",
    select = fal.requests { endpoint_id = endpoint, older_than = "7d",
                            status = "error" },
    limits = { max = 5000 },
    reason = "failed: erased after 7 days",
  },
  fal.policy {
    name = "rest-30d",
    select = fal.requests { endpoint_id = endpoint, older_than = "30d" },
    limits = { max = 10000 },
    reason = "erased after 30 days",
  },
}
