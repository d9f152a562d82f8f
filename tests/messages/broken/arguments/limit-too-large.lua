fal.requests { endpoint_id = "auto", limit = 1000 } -- here
