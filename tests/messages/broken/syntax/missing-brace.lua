local requests = fal.requests { endpoint_id = "auto" -- here: seen below
fal.delete_all(requests)
