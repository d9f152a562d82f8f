return fal.hold.fiel "holds.csv" -- here
