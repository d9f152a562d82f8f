local count
print(count + 1) -- here
