return fal.policy {
  name = "held", reason = "30 days", hold = fal.hold.file "held.csv",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
