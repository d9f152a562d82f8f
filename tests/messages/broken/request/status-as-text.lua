for request in fal.requests { endpoint_id = "auto" } do
  if request.status_code >= "400" then -- here
    print(request.request_id)
  end
end
