local task = fal.spawn(function()
  fal.sleep "1ms"
  error "in the task" -- here
end)
assert(task:wait())
