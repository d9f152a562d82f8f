coroutine.yield(1) -- here
