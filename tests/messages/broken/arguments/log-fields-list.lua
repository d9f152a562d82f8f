log.info("left", { "a", "b" }) -- here
