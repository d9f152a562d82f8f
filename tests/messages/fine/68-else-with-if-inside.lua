local age = arg[1]
if age then
  age = "90d"
else if not age then
  age = "30d"
end end
assert(age == "30d")
