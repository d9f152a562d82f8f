local age = "30d"
local shown = age -- here: the call begins here and goes on below
(print)(shown)
