--- All go after 30 days but a sample for quality review: the newest of each
--- day for two weeks more, and of each month for a year.
---
---   falrun quality-sample.lua
---
--- Who reviews quality needs examples over time, not everything. What is
--- kept says by which rule: `falrun plan quality-sample.lua`.

return fal.policy {
  name = "quality-sample",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  keep = fal.keep.any { daily = 14, monthly = 12, by = "endpoint_id",
                        zone = "UTC" },
  limits = { max = 20000 },
  reason = "erased after 30 days; a sample is kept for quality review",
}
