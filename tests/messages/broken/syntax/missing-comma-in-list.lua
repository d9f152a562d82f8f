local ids = { "fal-ai/flux/dev" "fal-ai/flux/pro" } -- here
fal.requests { endpoint_id = ids }
