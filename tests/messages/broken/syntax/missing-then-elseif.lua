local age = arg[1] or "30d"
if age == "" then
  age = "30d"
elseif age == "0d" -- here
  age = "1d"
end
