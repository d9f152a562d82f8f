for request in fal.requests { endpoint_id = "auto" } do
  print("at " .. request.endpoint) -- here
end
