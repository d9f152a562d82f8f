local age = arg[1]
if age == "old" then
  age = "90d"
elsif age == "new" then -- here
  age = "7d"
end
