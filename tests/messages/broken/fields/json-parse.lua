local value = json.parse "{}" -- here
print(value)
