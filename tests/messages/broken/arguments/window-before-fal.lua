fal.requests { endpoint_id = "auto", ["end"] = "2019-01-01" } -- here
