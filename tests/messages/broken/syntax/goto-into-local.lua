for request in fal.requests { endpoint_id = "auto" } do
  if request.status_code == 200 then
    goto continue -- here
  end
  local id = request.request_id
  ::continue::
  print(id)
end
