local function ids() return "not an id" end
fal.delete_all(ids) -- here
