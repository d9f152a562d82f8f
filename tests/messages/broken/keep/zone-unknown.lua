local rule = fal.keep.any { daily = 7, zone = "Europe/Berlni" } -- here
return rule
