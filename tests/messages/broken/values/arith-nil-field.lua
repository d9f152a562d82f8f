local counts = {}
counts.deleted = counts.deleted + 1 -- here
