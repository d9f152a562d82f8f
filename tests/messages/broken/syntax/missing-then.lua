local age = arg[1] or "30d"
if age == "" -- here
  age = "30d"
end
