for request in fal.requests { endpoint_id = "auto" } do
  print(request.ended_at - 3600) -- here
end
