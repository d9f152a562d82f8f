local funtion old(request) -- here: up to the end it is a local, a call, a return
  return request.status_code == 200
end
fal.each({}, old)
