return fal.policy { name = 30, reason = "30 days", select = {} } -- here
