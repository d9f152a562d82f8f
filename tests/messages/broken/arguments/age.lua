fal.requests { endpoint_id = "auto", age = "30d" } -- here
