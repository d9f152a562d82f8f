return fal.policy {
  name = "kept", reason = "thinned out",
  select = fal.requests { endpoint_id = "auto" },
  keep = { last = 1, by = function(request) return request.status_code end },
}
