local why
print("left: " .. why) -- here
