local walk = coroutine.wrap(function()
  coroutine.yeild(1)  -- (not reached: the next global is read first)
end)
local next_item = walkk -- here
print(next_item, walk)
