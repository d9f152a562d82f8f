local value = assert(json.decode '{ "age": "30d"') -- here
print(value)
