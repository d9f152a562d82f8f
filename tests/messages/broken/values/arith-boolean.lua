local found = true
print(found + 1) -- here
