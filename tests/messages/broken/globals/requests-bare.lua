for request in requests { endpoint_id = "auto" } do -- here
  print(request.request_id)
end
