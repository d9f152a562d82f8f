local list = {}
list[1] = list
print(json.encode(list)) -- here
