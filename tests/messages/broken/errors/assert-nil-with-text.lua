assert(nil, "the list of customers is stale") -- here
