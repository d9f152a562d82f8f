local function old(request) -- here: Lua sees it at the next "local function"
  return request.status_code == 200

local function new(request)
  return not old(request)
end
fal.each({}, new)
