local task
task = fal.spawn(function()
  fal.sleep "1ms"
  assert(task:wait()) -- here
end)
assert(task:wait())
