local rule = fal.keep.any { last = 1, by = "customer" } -- here
return rule
