log.fatal "stop" -- here
