return fal.hold.file() -- here
