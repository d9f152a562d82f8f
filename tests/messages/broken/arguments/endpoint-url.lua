fal.requests { endpoint_id = "https://fal.run/fal-ai/flux/dev" } -- here
