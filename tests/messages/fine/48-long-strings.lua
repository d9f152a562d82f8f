local note = [==[ a ]] and a ]=] inside ]==]
assert(note:find "inside")
