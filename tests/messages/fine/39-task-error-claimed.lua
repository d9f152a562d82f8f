local ok, err = fal.spawn(function() error "claimed" end):wait()
assert(not ok and err:find "claimed")
