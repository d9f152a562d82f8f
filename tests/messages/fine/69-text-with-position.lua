log.info "rules.lua would be at 3: but this is only text"
