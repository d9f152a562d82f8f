return fal.policy {
  name = "kept", reason = "thinned out",
  select = fal.requests { endpoint_id = "auto" },
  keep = { daily = 1, zone = "+02:00" },
}
