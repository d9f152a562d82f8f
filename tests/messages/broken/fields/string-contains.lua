print(string.contains("fal-ai/flux", "flux")) -- here
