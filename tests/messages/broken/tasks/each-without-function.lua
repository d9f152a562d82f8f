fal.each({ "a" }) -- here
