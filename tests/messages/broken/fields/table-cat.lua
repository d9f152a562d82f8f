print(table.cat({ "a" }, ",")) -- here
