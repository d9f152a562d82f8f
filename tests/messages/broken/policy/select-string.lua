return fal.policy { -- here
  name = "flux-30d", reason = "30 days", select = "auto",
}
