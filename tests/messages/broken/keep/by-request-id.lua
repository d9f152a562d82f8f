local rule = fal.keep.any { last = 1, by = "request_id" } -- here
return rule
