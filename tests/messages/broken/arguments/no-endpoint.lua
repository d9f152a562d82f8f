fal.requests { older_than = "30d" } -- here
