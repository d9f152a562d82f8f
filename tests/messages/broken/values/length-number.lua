local count = 3
print(#count) -- here
