local rule = fal.keep.any { last = 0 } -- here
return rule
