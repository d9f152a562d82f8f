local endpoints = [ "fal-ai/flux/dev", "fal-ai/flux/pro" ] -- here
fal.requests { endpoint_id = endpoints }
