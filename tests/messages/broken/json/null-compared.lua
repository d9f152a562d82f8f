local value = json.decode '{ "n": null }'
print(value.n < 3) -- here
