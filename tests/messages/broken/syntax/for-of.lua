for request of fal.requests { endpoint_id = "auto" } do -- here
  print(request.request_id)
end
