local function old(request) { -- here
  return request.status_code == 200
}
fal.each(fal.requests { endpoint_id = "auto" }, old)
