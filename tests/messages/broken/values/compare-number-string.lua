if #arg < "3" then -- here
  print "few"
end
