fal.each(fal.requests { endpoint_id = "auto" }, function(request)
  print("at " .. request.endpiont_id) -- here
end)
