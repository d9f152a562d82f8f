return fal.policy { -- here
  name = "flux-30d", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  hold = fal.hold.from(function() return 1 end),
}
