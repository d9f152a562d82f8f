console.log "started" -- here
