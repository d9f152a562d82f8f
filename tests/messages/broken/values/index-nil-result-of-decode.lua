local value = json.decode "not json"
print(value.age) -- here
