local rule = fal.policy {
  name = "flux_30.d", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
return rule
