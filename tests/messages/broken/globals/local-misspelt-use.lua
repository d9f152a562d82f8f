local older_than = "30d"
fal.requests { endpoint_id = "auto", older_than = older_then } -- here
