return fal.policy { -- here
  name = "flux-30d", reason = "30 days", older_than = "30d",
  select = fal.requests { endpoint_id = "auto" },
}
