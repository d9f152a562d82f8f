local function work() end
fal.spawn(work()) -- here
