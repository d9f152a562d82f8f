return fal.policy { -- here
  name = "everything", reason = "all of it",
  select = fal.requests { endpoint_id = "auto" },
}
