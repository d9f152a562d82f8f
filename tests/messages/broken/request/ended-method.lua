for request in fal.requests { endpoint_id = "auto" } do
  print(request.ended:sub(1, 10)) -- here
end
