local text = ("a-b"):gsub("%-", "_")
assert(text == "a_b")
