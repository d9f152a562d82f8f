local select, where, keep, hold = fal.requests, nil, { last = 9 }, nil
return fal.policy {
  name = "short", reason = "30 days", where = where, keep = keep, hold = hold,
  select = select { endpoint_id = "auto" },
}
