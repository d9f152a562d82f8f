local age = arg[1]
if age = nil then -- here
  age = "30d"
end
