local age = arg[1] ? arg[1] : "30d" -- here
fal.requests { endpoint_id = "auto", older_than = age }
