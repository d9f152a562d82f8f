fal.spawn(function()
  fal.sleep "1ms"
  local rules
  print(rules.age) -- here
end)
fal.sleep "5ms"
