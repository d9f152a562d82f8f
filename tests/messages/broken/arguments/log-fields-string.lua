log.info("left", "three") -- here
