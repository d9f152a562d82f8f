local function days() return dayz end -- here
return { days = days }
