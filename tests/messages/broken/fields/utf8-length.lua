print(utf8.length "a") -- here
