fal.delete_all({}, { reasn = "thirty days" }) -- here
