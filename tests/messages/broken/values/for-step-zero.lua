for i = 1, 3, 0 do -- here
  print(i)
end
