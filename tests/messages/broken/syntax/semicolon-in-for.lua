for i = 1; i < 10; i++ do -- here
  print(i)
end
