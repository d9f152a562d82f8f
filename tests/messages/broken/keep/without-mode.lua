local rule = fal.keep { last = 100 } -- here
return rule
