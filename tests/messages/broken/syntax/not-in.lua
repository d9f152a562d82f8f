local kept = { "a" }
if "a" not in kept then -- here
  print "gone"
end
