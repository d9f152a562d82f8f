assert(fal.spawn(function()
  fal.sleep(1) -- here
end):wait())
