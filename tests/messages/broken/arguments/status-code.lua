fal.requests { endpoint_id = "auto", status = 200 } -- here
