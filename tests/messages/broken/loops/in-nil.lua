local ids
for id in ids do -- here
  print(id)
end
