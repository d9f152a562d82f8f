local task = fal.spawn(function()
  assert(fal.spawn(function()
    fal.sleep(3) -- here
  end):wait())
end)
assert(task:wait())
