for request in fal.list { endpoint_id = "auto" } do -- here
  print(request.request_id)
end
