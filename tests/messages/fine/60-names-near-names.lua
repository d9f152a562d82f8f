local requst, iparis, tbale = 1, 2, 3
assert(requst + iparis + tbale == 6)
