local text = "abc"
print(text:length()) -- here
