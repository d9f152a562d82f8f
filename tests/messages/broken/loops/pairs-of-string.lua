for name in pairs("abc") do -- here
  print(name)
end
