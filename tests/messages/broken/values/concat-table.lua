local ids = { "a", "b" }
print("ids: " .. ids) -- here
