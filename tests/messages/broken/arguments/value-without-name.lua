fal.requests { "fal-ai/flux/dev", older_than = "30d" } -- here
