local rule = fal.keep.any { daily = 7, zone = "CEST" } -- here
return rule
