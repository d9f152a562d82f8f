local counts = {}
counts["fal-ai/flux"].deleted = 1 -- here
