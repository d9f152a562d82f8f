fal.requests { endpoint_id = "auto", older_than = true } -- here
