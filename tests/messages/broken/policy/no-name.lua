return fal.policy { -- here
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  reason = "30 days",
}
