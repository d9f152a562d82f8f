print(require("_raises").days)
