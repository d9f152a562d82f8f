local counts, key = {}, nil
counts[key] = 1 -- here
