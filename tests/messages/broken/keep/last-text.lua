local rule = fal.keep.any { last = "100" } -- here
return rule
