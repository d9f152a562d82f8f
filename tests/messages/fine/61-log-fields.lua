log.info("left", { id = "a", why = 'with "quotes"', count = 3, ok = true })
