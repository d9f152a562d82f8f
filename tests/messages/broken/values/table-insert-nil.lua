local ids
table.insert(ids, "a") -- here
