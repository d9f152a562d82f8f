table.insert({}, 5, "a") -- here
