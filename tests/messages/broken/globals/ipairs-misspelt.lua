for _, id in iparis {} do -- here
  print(id)
end
