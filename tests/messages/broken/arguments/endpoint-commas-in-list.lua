fal.requests { endpoint_id = { "fal-ai/a, fal-ai/b" } } -- here
