fal.requests { endpoint_id = "auto", ["end"] = "2999-01-01" } -- here
