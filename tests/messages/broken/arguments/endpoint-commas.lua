fal.requests { endpoint_id = "fal-ai/flux/dev,fal-ai/flux/pro" } -- here
