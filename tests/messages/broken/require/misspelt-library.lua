local text = require "fal.txet" -- here
print(text)
