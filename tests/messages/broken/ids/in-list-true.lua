fal.delete_all { true } -- here
