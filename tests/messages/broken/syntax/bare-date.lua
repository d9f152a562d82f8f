fal.requests { endpoint_id = "auto", start = 2026-01-01T00:00:00Z } -- here
