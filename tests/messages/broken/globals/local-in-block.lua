if arg[1] == nil then
  local age = "30d"
end
print(age) -- here
