local walk = coroutine.wrap(function()
  coroutine.yeild(1) -- here
end)
walk()
