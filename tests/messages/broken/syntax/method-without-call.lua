local text = "abc"
print(text:upper) -- here
