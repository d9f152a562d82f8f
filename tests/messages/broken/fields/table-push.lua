local ids = {}
table.push(ids, "a") -- here
