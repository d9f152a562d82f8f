local rule = fal.keep.none { last = 100 } -- here
return rule
