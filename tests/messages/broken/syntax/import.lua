import fal -- here
fal.requests { endpoint_id = "auto" }
