print(json.dumps {}) -- here
