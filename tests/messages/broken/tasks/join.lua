local task = fal.spawn(function() end)
task:join() -- here
