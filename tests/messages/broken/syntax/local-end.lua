local end = fal.ago "30d" -- here
print(end)
