local rule = fal.keep.any {} -- here
return rule
