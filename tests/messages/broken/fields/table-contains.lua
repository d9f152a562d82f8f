print(table.contains({ "a" }, "a")) -- here
