fal.sleep(5) -- here
