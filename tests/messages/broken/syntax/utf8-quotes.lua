local age = “30d” -- here
fal.requests { endpoint_id = "auto", older_than = age }
