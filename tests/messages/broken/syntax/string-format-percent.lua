local age = 30
print("older than %d" % age .. " days" + ) -- here
