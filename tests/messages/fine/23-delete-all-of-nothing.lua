assert(fal.delete_all({}).total == 0)
