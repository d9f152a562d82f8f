for _, r in ipairs(fal.requests { endpoint_id = "auto" }) do -- here
  print(r)
end
