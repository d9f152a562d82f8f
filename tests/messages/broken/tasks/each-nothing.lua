fal.each(nil, print) -- here
