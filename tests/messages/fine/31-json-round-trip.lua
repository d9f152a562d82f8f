local text = json.encode { list = json.array {}, n = 1, f = 1.5 }
assert(json.decode(text).f == 1.5)
