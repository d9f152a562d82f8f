local rule = fal.keep.any { within = "0d" } -- here
return rule
