print(json.stringify {}) -- here
