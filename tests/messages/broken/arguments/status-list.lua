fal.requests { endpoint_id = "auto", status = { "error" } } -- here
