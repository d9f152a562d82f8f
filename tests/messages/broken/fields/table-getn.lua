print(table.getn {}) -- here
