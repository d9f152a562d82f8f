for request in fal.requests { endpoint_id = "auto" } do
  print(request.created_at:sub(1, 10)) -- here
end
