local ids = { "a" }
print(ids + 1) -- here
