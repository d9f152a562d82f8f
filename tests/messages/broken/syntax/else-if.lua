local age = arg[1]
if age == "old" then
  age = "90d"
else if age == "new" then -- here: it opens a second block, as the end of the file shows
  age = "7d"
else
  age = "30d"
end
print(age)
