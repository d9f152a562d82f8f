local settings = {}
print(json.decode(settings.text)) -- here
