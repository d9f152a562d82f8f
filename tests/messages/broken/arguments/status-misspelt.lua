fal.requests { endpoint_id = "auto", status = "sucess" } -- here
