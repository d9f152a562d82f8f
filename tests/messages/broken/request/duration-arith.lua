for request in fal.requests { endpoint_id = "auto" } do
  print(request.durration * 1000) -- here
end
