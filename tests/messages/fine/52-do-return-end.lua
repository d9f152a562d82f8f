do return end
error "not reached"
