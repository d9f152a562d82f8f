-- a != b && c || d, count += 1, x++ : all only told, not done
local text = "a != b && c || d" -- != here too
assert(#text == 16)
