assert(#arg == 0)
