local rule = fal.keep.any { newest = 100 } -- here
return rule
