local pattern = "fal-ai\/flux" -- here
print(pattern)
