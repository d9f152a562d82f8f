local status = nil
for _ in fal.requests { endpoint_id = "auto", status = status } do break end
