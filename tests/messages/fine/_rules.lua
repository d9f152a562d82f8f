fal.sleep "1ms"                 -- a module may wait while it loads
return { age = "30d" }
