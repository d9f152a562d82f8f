local text = "kept:"
text ..= " nothing" -- here
