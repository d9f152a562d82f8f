fal.each(print, { "a" }) -- here
