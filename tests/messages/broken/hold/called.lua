return fal.hold "holds.csv" -- here
