for request in fal.requests { endpoint_id = "auto" } do
  print("id " .. request.id) -- here
end
