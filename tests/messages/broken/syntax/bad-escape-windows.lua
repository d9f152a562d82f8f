local path = "C:\holds\list.csv" -- here
print(path)
