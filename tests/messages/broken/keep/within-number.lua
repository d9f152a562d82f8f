local rule = fal.keep.any { within = 30 } -- here
return rule
