for _, id in { "a", "b" } do -- here
  print(id)
end
