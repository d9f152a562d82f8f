local core = require "core" -- here
print(core)
