return fal.policy {
  name = "but-the-newest", reason = "not of the newest", keep = { last = 1 },
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
