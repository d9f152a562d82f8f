local function ids() return "a" end
for id in ids() do -- here
  print(id)
end
