for name in pairs(nil) do -- here
  print(name)
end
