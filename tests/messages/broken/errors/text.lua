error "the list of customers is stale" -- here
