local options = {
  endpoint_id = "auto",
  end = "2026-01-01T00:00:00Z", -- here
}
fal.requests(options)
