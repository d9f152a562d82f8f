fal.requests { endpoint_id = "all" } -- here
