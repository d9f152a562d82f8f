fal.delete_payloads "fal-ai/flux/dev" -- here
