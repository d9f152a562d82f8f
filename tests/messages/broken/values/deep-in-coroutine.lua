local function walk(list)
  return coroutine.wrap(function()
    coroutine.yield(list[1].name) -- here
  end)
end
for name in walk {} do
  print(name)
end
