loadstring("return 1")() -- here
