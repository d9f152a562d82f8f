fal.requests { endpoint_id = "auto", ["end"] = "2024-02-30" } -- here
