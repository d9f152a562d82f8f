local rule = fal.keep.any { last = 1 }
return fal.keep.all(rule) -- here
