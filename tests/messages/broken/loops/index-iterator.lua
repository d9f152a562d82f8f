local requests = fal.requests { endpoint_id = "auto" }
print(requests[1]) -- here
