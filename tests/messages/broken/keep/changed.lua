local rule = fal.keep.any { last = 1 }
rule.last = 2 -- here
return rule
