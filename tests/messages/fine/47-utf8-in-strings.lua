local why = "“erased – after 30 days”" -- — “typographic”
assert(#why > 24)
