fal.sleep(5s) -- here
