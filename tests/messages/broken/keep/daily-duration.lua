local rule = fal.keep.any { daily = "7d" } -- here
return rule
