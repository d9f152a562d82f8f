local function held() return true end
return fal.hold.from(held()) -- here
