assert(require "_rules" == require "_rules")
