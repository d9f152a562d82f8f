local rule = fal.keep.ayn { last = 100 } -- here
return rule
