fal.retries = 3 -- here
