local text = "a"
local 5 = text:upper() -- here
