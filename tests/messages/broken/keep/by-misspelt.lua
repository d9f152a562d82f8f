local rule = fal.keep.any { last = 1, by = "endpiont_id" } -- here
return rule
