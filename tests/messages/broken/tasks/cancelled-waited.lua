local task = fal.spawn(function() fal.sleep "1h" end)
task:cancel()
assert(task:wait()) -- here
