local co
co = coroutine.wrap(function()
  co() -- here
end)
co()
