return fal.policy {
  name = "flux-30d",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  reason = function(request) return "of " .. request.endpoint end, -- here
}
