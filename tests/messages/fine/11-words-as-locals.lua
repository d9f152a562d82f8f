local let, const, var, try, switch, elif = 1, 2, 3, 4, 5, 6
assert(let + const + var + try + switch + elif == 21)
