local print = log.info
print("shadowed", { by = "log.info" })
