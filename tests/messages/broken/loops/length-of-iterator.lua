print(#fal.requests { endpoint_id = "auto" }) -- here
