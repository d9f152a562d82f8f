return fal.policy {
  name = "ok-30d", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  where = function(request, now)
    return request.status_code == 200 and request.ended_at < now
  end,
}
