local count
for i = 1, count do -- here
  print(i)
end
