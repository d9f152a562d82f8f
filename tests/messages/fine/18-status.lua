for _ in fal.requests { endpoint_id = "auto", status = "success" } do break end
