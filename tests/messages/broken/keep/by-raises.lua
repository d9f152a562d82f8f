return fal.policy {
  name = "flux-30d", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  keep = { last = 1, by = function(request)
    return request.user.id -- here
  end },
}
