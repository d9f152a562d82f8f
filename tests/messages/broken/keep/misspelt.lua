local rule = fal.keep.any { lsat = 100 } -- here
return rule
