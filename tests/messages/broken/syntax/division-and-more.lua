local total, count = 7, 2
print(total // count or 0 "each") -- here: a division, not a comment
