/* erases what is older than thirty days */ -- here
fal.requests { endpoint_id = "auto" }
