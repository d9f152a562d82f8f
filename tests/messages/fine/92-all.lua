return fal.policy {
  name = "everything", reason = "the contract ended", all = true,
  select = fal.requests { endpoint_id = "auto" },
}
