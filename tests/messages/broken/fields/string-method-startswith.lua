local endpoint = "fal-ai/flux"
print(endpoint:startswith "fal-ai") -- here
