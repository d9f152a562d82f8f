fal.requests { endpoint_id = "auto", start = "31.12.2025" } -- here
