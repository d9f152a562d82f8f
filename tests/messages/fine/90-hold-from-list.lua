return fal.policy {
  name = "held", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  hold = fal.hold.from(function()
    return { "019e6d0a-e5be-4b82-b329-35ae64296900" }
  end),
}
