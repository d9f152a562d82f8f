fal.requests { endpoint_id = "auto", older_then = "30d" } -- here
