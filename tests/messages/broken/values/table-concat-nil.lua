print(table.concat({ "a", {} }, ",")) -- here
