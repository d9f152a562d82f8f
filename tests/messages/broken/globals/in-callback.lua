fal.each({ "a" }, function(item)
  pritn(item) -- here
end)
