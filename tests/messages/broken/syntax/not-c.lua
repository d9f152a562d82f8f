local age = arg[1]
if !age then -- here
  age = "30d"
end
