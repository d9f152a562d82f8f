local function find() return nil end
print(find().age) -- here
