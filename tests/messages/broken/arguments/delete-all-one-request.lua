for request in fal.requests { endpoint_id = "auto" } do
  fal.delete_all(request) -- here
end
