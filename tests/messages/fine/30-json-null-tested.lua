local value = json.decode '{ "n": null }'
assert(value.n == json.null and value.n ~= nil)
