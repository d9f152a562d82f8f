local summary = fal.delete_all(fal.requests {
  endpoint_id = "auto", older_than = "30d",
}, { reason = "30 days", concurrency = 1, retries = 0 })
assert(summary.planned == 3)
