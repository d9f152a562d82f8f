for i in 10 do -- here
  print(i)
end
