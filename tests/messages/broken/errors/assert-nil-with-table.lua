assert(nil, { message = "the list is stale" }) -- here
