fal.requests { endpoint_id = "auto", start = "30d" } -- here
