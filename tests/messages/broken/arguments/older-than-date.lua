fal.requests { endpoint_id = "auto", older_than = "2026-01-01" } -- here
