return fal.policy {
  name = "limited", reason = "30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  limits = { max = 5000, percent = 100, growth = 3, min_scanned = 1,
             min_age = "7d" },
}
