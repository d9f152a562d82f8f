dofile "rules.lua" -- here
