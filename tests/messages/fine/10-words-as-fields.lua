local words = { null = 1, None = 2, continue = 3, const = 4, let = 5, var = 6 }
assert(words.null + words.None + words.continue + words.let == 11)
