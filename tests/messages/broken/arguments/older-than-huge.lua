fal.requests { endpoint_id = "auto", older_than = "99999d" } -- here
