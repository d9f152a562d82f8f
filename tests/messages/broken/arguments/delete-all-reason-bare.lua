fal.delete_all({}, "thirty days") -- here
