log.info(17)
