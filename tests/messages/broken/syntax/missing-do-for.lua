for request in fal.requests { endpoint_id = "auto" } -- here
  print(request.request_id)
end
