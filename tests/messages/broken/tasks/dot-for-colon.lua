local task = fal.spawn(function() end)
task.wait() -- here
