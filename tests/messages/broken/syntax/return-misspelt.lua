local function old(request)
  retrun request.status_code == 200 -- here
end
fal.each({}, old)
