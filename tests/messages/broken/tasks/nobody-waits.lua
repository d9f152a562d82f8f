fal.spawn(function()
  error "lost" -- here
end)
