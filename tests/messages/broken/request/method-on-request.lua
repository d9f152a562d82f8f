for request in fal.requests { endpoint_id = "auto" } do
  request:delete() -- here
end
