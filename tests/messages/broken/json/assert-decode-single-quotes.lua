local value = assert(json.decode "{ 'age': 1 }") -- here
print(value)
