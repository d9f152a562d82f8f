os.remove "holds.csv" -- here
