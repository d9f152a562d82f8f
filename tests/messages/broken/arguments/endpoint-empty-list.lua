fal.requests { endpoint_id = {} } -- here
