log.warning "left over" -- here
