fal.requests { endpoint_id = "auto", older_than = "30 days" } -- here
