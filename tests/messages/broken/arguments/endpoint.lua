fal.requests { endpoint = "auto", older_than = "30d" } -- here
