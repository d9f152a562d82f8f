local value, err = json.decode "{ not json }"
assert(value == nil and tostring(err):find "not valid")
