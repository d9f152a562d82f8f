log.err "failed" -- here
