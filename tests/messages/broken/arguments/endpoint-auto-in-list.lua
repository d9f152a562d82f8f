fal.requests { endpoint_id = { "auto", "fal-ai/flux/dev" } } -- here
