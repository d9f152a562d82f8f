local function keep(request)
  return request.status_code ~= 200 -- here
  print(request.request_id)
end
fal.each({}, keep)
