return fal.policy {
  name = "by-endpoint",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  reason = function(request) return "old, of " .. request.endpoint_id end,
}
