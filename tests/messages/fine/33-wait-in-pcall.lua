assert(pcall(fal.sleep, "1ms"))
