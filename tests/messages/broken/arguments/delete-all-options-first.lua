fal.delete_all { endpoint_id = "auto", older_than = "30d" } -- here
