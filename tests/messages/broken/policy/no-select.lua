return fal.policy { name = "flux-30d", reason = "30 days" } -- here
