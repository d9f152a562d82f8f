local value = json.decode '{ "n": null }'
print(value.n + 1) -- here
