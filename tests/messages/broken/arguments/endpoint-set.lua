fal.requests { endpoint_id = { ["fal-ai/flux/dev"] = true } } -- here
