local options = { endpoint_id: true } -- here
fal.requests(options)
