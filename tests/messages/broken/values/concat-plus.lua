print("id: " + "a") -- here
