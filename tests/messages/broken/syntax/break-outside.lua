local age = "30d"
if age == "30d" then
  break -- here
end
