local function old request -- here
  return request.status_code == 200
end
