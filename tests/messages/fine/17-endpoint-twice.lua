local twice = { "fal-ai/flux/dev", "fal-ai/flux/dev" }
for _ in fal.requests { endpoint_id = twice } do break end
