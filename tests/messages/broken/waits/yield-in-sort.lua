local walk = coroutine.wrap(function()
  table.sort({ 3, 1, 2 }, function(a, b)
    coroutine.yield(a) -- here
    return a < b
  end)
end)
walk()
