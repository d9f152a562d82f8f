return fal.policy { -- here
  name = "flux-30d", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  filter = function(request) return request.status_code == 200 end,
}
