local text = "  a "
print(text:trim()) -- here
