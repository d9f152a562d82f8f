assert((6 & 3) | 8 == 10 and ~0 == -1)
