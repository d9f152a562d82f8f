local rules = {}
local function rules.old(request) -- here
  return request.status_code == 200
end
