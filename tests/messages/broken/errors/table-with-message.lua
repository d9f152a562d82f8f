error { message = "the list of customers is stale" } -- here
