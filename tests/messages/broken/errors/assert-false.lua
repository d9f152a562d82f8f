assert(false) -- here
