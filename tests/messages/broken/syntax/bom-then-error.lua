local age = "30d"
if age then -- keeps the line count
  print(age))  -- here
end
