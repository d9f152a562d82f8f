fal.requests { endpoint_id = "auto", request_id = {} } -- here
