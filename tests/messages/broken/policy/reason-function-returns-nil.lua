return fal.policy { -- here
  name = "flux-30d",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  reason = function() return nil end,
}
