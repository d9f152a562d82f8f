local requests = fal.requests { endpoint_id = "auto" }
requests -- here
