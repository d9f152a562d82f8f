local value = assert(json.decode "{ age: 30 }") -- here
print(value)
