local ids = {}
ids:insert("a") -- here
