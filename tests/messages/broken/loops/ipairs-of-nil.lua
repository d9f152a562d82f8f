local ids
for _, id in ipairs(ids) do -- here
  print(id)
end
