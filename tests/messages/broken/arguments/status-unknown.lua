fal.requests { endpoint_id = "auto", status = "ok" } -- here
