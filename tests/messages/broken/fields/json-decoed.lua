print(json.decoed "{}") -- here
