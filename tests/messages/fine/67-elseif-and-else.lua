local age = arg[1]
if age == "old" then
  age = "90d"
elseif age == "new" then
  age = "7d"
else
  age = "30d"
end
assert(age == "30d")
