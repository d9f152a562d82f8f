fal.requests "fal-ai/flux/dev" -- here
