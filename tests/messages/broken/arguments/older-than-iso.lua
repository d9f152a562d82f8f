fal.requests { endpoint_id = "auto", older_than = "P30D" } -- here
