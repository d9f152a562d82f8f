local guard <close> = 17 -- here
print(guard)
