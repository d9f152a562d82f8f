local function walk()
  fal.sleep(1) -- here
end
coroutine.wrap(walk)()
