fal.requests { endpoint_id = "auto", start = os.time() } -- here
