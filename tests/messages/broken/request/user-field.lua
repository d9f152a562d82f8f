for request in fal.requests { endpoint_id = "auto" } do
  print(request.user.name) -- here
end
