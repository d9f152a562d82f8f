local task = fal.spawn(fal.sleep, "1h")
task:cancel()
