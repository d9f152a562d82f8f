for request in fal.requests { endpoint_id = "auto" } do
  fal.delete_payloads(request.requestId) -- here
end
