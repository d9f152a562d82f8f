local limit
if 3 > limit then -- here
  print "more"
end
