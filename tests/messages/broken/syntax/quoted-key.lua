local options = { "endpoint_id" = "auto" } -- here
fal.requests(options)
