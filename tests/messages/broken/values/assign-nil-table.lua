local counts
counts.deleted = 1 -- here
