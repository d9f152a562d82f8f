return fal.policy { -- here
  name = "flux-30d", reason = "30 days",
  select = { endpoint_id = "auto", older_than = "30d" },
}
