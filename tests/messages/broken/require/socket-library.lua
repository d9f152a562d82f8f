local http = require "socket.http" -- here
print(http)
