local kept = { "a" }
if "a" in kept then -- here
  print "kept"
end
