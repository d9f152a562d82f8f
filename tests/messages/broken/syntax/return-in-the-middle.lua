local requests = fal.requests { endpoint_id = "auto" }
return requests
fal.delete_all(requests) -- here: nothing may follow a return
