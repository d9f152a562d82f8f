print(json.decode {}) -- here
