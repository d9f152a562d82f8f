local value = json.decode '{ "user": null }'
print(value.user.name) -- here
