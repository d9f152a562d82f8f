fal.delete_all { 17 } -- here
