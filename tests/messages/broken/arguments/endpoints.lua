fal.requests { endpoints = { "fal-ai/flux/dev" } } -- here
