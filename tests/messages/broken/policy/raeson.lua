return fal.policy { -- here
  name = "flux-30d", raeson = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
