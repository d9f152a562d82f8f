#!/usr/bin/env falrun
--- Erases everything that ended longer ago than a number of days.
---
---   falrun older-than.lua                          30 days, all endpoints
---   falrun older-than.lua 90d                      90 days, all endpoints
---   falrun older-than.lua 90d fal-ai/flux/dev      90 days, one endpoint
---
--- Try it first: `falrun plan older-than.lua` shows what would go, and
--- `falrun --sandbox older-than.lua` runs it against made-up history.

local age = arg[1] or "30d"
local endpoint = arg[2] or "auto"

-- The selection: requests that ended before now minus `age`, oldest first.
-- "auto" finds the endpoints through usage and billing, with the admin key.
local expired = fal.requests {
  endpoint_id = endpoint,
  older_than = age,
}

-- Everything goes through the gate: what is held stays, what the ledger has
-- as deleted is not asked for again, and the run's limits hold. If the list
-- is longer than the limit, nothing is deleted at all.
local summary = fal.delete_all(expired, {
  reason = "retention: erased after " .. age,
})

if summary.held > 0 then
  log.info("kept for a legal hold", { count = summary.held })
end
