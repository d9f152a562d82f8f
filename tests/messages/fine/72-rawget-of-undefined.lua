assert(rawget(_G, "prnt") == nil)
