local options = { endpoint_id = "auto" }
options.end = fal.ago "30d" -- here
fal.requests(options)
