local file = io.open "holds.csv" -- here
print(file)
