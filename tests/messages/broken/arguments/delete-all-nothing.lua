fal.delete_all() -- here
