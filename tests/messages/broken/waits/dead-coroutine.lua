local walk = coroutine.wrap(function() end)
walk()
walk() -- here
