for r in pairs(fal.requests { endpoint_id = "auto" }) do -- here
  print(r)
end
