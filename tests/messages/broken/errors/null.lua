local why
error(why) -- here
