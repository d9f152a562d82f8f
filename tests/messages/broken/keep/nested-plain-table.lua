local rule = fal.keep.all { last = 1, { daily = 7 } } -- here
return rule
