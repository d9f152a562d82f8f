local task = fal.spawn(function() end)
task:wiat() -- here
