local pattern = "^\d+$" -- here
print(pattern)
