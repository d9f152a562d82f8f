local list = { "fal-ai/Flux_Pro.v1-1/all", "fal-ai/flux/dev" }
for _ in fal.requests { endpoint_id = list } do break end
