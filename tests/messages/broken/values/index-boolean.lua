local found = true
print(found.id) -- here
