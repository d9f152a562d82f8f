print(json.null()) -- here
