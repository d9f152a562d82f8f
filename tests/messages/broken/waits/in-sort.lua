table.sort({ 3, 1, 2 }, function(a, b)
  fal.sleep "1ms" -- here
  return a < b
end)
