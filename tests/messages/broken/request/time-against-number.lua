for request in fal.requests { endpoint_id = "auto" } do
  if request.ended_at < os.time() then -- here
    print(request.request_id)
  end
end
