local function old(request) -- here
  return request.status_code == 200

local total = 0
print(old, total)
