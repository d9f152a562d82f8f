fal.requests { endpoint_id = "auto", older_than = "1y" } -- here
