fal.sleep(thirty) -- here
