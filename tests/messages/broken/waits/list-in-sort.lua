table.sort({ 3, 1, 2 }, function(a, b)
  for _ in fal.requests { endpoint_id = "auto" } do -- here
    return false
  end
  return a < b
end)
