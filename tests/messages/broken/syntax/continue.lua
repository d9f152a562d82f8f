for request in fal.requests { endpoint_id = "auto" } do
  if request.status_code == 200 then
    continue -- here: a name may begin a call, so Lua sees it a line later
  end
  print(request.request_id)
end
