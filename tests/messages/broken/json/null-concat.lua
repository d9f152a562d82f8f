local value = json.decode '{ "n": null }'
print("n: " .. value.n) -- here
