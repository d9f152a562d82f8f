fal.requests { endpoint_id = "auto", limit = "100" } -- here
