log "started" -- here
