local age = arg[1]
switch age do -- here
  print(age)
end
