if {} < {} then -- here
  print "less"
end
