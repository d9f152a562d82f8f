fal.requests { endpoint_id = "auto", start = "yesterday" } -- here
