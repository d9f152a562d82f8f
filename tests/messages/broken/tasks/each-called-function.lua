local function show() end
fal.each({ "a" }, show()) -- here
