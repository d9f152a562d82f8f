local host = require "host" -- here
print(host)
