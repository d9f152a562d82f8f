local cjson = require "cjson" -- here
print(cjson)
