for request in fal.request { endpoint_id = "auto" } do -- here
  print(request.request_id)
end
