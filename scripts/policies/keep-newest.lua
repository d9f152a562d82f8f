--- The newest N of each endpoint stay, whatever their age; older ones go.
---
---   falrun keep-newest.lua [N]           100 of each endpoint
---
--- For teams that compare a new model with the last results of the old one.
--- Nothing younger than a week goes, however many there are.

local newest = math.tointeger(tonumber(arg[1] or 100))
assert(newest and newest > 0, "the number to keep is a whole number")

return fal.policy {
  name = "keep-newest",
  select = fal.requests { endpoint_id = "auto", older_than = "7d" },
  keep = fal.keep.any { last = newest, by = "endpoint_id" },
  limits = { max = 10000, min_age = "7d" },
  reason = ("only the newest %d of an endpoint are kept"):format(newest),
}
