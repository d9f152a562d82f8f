local ids
print(#ids) -- here
