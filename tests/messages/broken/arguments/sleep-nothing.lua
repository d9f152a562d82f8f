fal.sleep() -- here
