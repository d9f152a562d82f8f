table.sort { 1, "a", 2 } -- here
