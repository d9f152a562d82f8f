return fal.policy {
  name = "ancient", reason = "ten years",
  select = fal.requests { endpoint_id = "auto", older_than = "1000d" },
}
