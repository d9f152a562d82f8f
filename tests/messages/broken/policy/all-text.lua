return fal.policy { -- here
  name = "flux-30d", reason = "30 days", all = "yes",
  select = fal.requests { endpoint_id = "auto" },
}
