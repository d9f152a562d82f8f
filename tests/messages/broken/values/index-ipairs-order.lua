for id in ipairs { { name = "a" } } do
  print(id.name) -- here
end
