fal.requests { endpoint_id = 7 } -- here
