local rule = fal.keep.any { last = 1, by = "endpoint" } -- here
return rule
