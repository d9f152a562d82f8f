fal.each({ 1, 2, 3 }, function(item)
  error("no " .. item) -- here
end, { concurrency = 1 })
