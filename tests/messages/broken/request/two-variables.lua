for _, request in fal.requests { endpoint_id = "auto" } do
  print(request.request_id) -- here
end
