return fal.policy {
  name = "held", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  hold = { fal.hold.from(function(request)
    return request.duration > 100 and "expensive"
  end) },
}
