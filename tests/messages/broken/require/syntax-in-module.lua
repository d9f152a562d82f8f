print(require("_syntax").age)
