for request in fal.requests { endpoint_id = "auto" } do
  print(request.request_id)
end
end -- here
